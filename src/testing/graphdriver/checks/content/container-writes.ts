/** What containers do to an image's files: the rows of the checks of `changes`, `diffSize` and commits. */
import { type ArchiveEntry, fifo, file, folder, hardLink, symlink } from "../../../archive/entry.ts";
import type { TreeWriter } from "../../../tree/tree-writer.ts";
import type { GraphDriverCheck } from "../../check.ts";
import { hostRoot, root } from "../../needs.ts";

export const image: readonly ArchiveEntry[] = [
  folder("bin"),
  file("bin/tool", "#!", { mode: 0o4755 }),
  folder("data"),
  file("data/one", "1"),
  file("data/two", "22"),
  folder("data/sub", { mode: 0o700 }),
  file("data/sub/deep", "deep"),
  folder("empty"),
  folder("etc"),
  file("etc/hosts", "127.0.0.1 localhost\n"),
  symlink("etc/link", "hosts"),
  fifo("pipe"),
  file("twin", "twin"),
  hardLink("twin2", "twin"),
];

export interface ContainerWrites {
  readonly id: string;
  readonly title: string;
  readonly steps: (writer: TreeWriter) => void;
  /** Why the steps cannot be taken here. */
  readonly needs?: NonNullable<GraphDriverCheck["needs"]>;
  /** A name was added to a file of the image: a diff carries the file anew, and it may then be one of its own. */
  readonly linksToImage?: boolean;
}

/**
 * `VFS_CAP_REVISION_2`, effective, CAP_NET_BIND_SERVICE permitted. Source: capabilities(7), `linux/capability.h` v6.1.
 */
const netBind = Buffer.from("0100000200040000000000000000000000000000", "hex");

export const containerWrites: readonly ContainerWrites[] = [
  { id: "nothing", title: "nothing", steps: () => {} },
  {
    id: "new-files",
    title: "new files and folders",
    steps(writer) {
      writer.write("new", "new");
      writer.makeFolder("fresh", 0o711);
      writer.write("fresh/file", "fresh");
      writer.write("data/sub/new", "n".repeat(5000));
      writer.makeFifo("empty/pipe");
      writer.symlink("/etc/hosts", "data/link");
    },
  },
  {
    id: "overwritten",
    title: "files overwritten, with the same size too",
    steps(writer) {
      writer.write("etc/hosts", "changed");
      writer.write("data/one", "9");
    },
  },
  {
    id: "deleted",
    title: "files, a folder and a symlink deleted",
    steps(writer) {
      for (const name of ["etc/hosts", "etc/link", "data", "empty", "pipe"]) writer.remove(name);
    },
  },
  { id: "renamed", title: "a file renamed", steps: (writer) => writer.rename("etc/hosts", "data/hosts") },
  {
    id: "renamed-over",
    title: "a file renamed over another, as editors save",
    steps(writer) {
      writer.write("etc/hosts.new", "edited");
      writer.rename("etc/hosts.new", "etc/hosts");
    },
  },
  { id: "folder-renamed", title: "a folder renamed", steps: (writer) => writer.rename("data", "moved") },
  {
    id: "folder-renamed-into",
    title: "a folder moved into another and back under another name",
    steps(writer) {
      writer.rename("data", "etc/data");
      writer.rename("etc/data/sub", "sub");
    },
  },
  {
    id: "mode",
    title: "a mode changed, of a file and of a folder",
    steps(writer) {
      writer.chmod("bin/tool", 0o755);
      writer.chmod("data/sub", 0o755);
    },
  },
  {
    id: "owner",
    title: "an owner changed, of a file, a folder and a symlink",
    needs: root,
    steps(writer) {
      writer.chown("etc/hosts", 12, 34);
      writer.chown("empty", 12, 34);
      writer.chown("etc/link", 12, 34);
    },
  },
  {
    id: "touched",
    title: "times changed, of a file and of a folder",
    steps(writer) {
      writer.touch("etc/hosts");
      writer.touch("data");
    },
  },
  {
    id: "hard-links",
    title: "new files with several names",
    steps(writer) {
      writer.write("data/a", "shared");
      writer.link("data/a", "etc/b");
      writer.link("data/a", "c");
    },
  },
  {
    id: "link-to-image",
    title: "a name added to a file of the image",
    linksToImage: true,
    steps: (writer) => writer.link("data/one", "etc/one"),
  },
  {
    id: "capability",
    title: "capabilities given to a file, and nothing else changed",
    needs: root,
    steps: (writer) => writer.setAttribute("etc/hosts", "security.capability", netBind),
  },
  {
    id: "devices",
    title: "devices made, one where a file was, and one given other numbers",
    needs: hostRoot,
    steps(writer) {
      writer.makeDevice("null", "character", [1, 3]);
      writer.makeDevice("data/loop", "block", [7, 300]);
      writer.remove("etc/hosts");
      writer.makeDevice("etc/hosts", "character", [1, 5]);
      writer.remove("pipe");
      writer.makeDevice("pipe", "block", [259, 1]);
    },
  },
  {
    id: "sparse",
    title: "a file that is nearly all hole, and one cut off",
    steps(writer) {
      writer.write("data/holes", "at the beginning");
      writer.truncate("data/holes", 2 ** 23);
      writer.truncate("etc/hosts", 4);
    },
  },
  {
    id: "user-xattr",
    title: "an attribute that no diff carries",
    steps: (writer) => writer.setAttribute("etc/hosts", "user.note", Buffer.from("x")),
  },
  {
    id: "folder-replaced",
    title: "a folder deleted and made anew with other content",
    steps(writer) {
      writer.remove("data");
      writer.makeFolder("data");
      writer.write("data/two", "other");
      writer.write("data/three", "3");
    },
  },
  {
    id: "folder-emptied",
    title: "a folder deleted and made anew, empty",
    steps(writer) {
      writer.remove("data");
      writer.makeFolder("data");
    },
  },
  {
    id: "kinds-swapped",
    title: "a folder become a file, a file a folder, a symlink a file",
    steps(writer) {
      writer.remove("data");
      writer.write("data", "file");
      writer.remove("etc/hosts");
      writer.makeFolder("etc/hosts");
      writer.write("etc/hosts/in", "in");
      writer.remove("etc/link");
      writer.write("etc/link", "file");
    },
  },
  {
    id: "undone",
    title: "things made and taken away again",
    steps(writer) {
      writer.write("new", "new");
      writer.remove("new");
      writer.makeFolder("data/tmp");
      writer.write("data/tmp/x", "x");
      writer.remove("data/tmp");
      writer.chmod("bin/tool", 0o755);
      writer.chmod("bin/tool", 0o4755);
    },
  },
  {
    id: "odd-names",
    title: "names that begin alike, and one with a space and a line break",
    steps(writer) {
      for (const name of ["data-", "data.", "data0", "a b\nc", "naïve"]) writer.write(name, name);
      writer.write("data/x", "x");
    },
  },
];
