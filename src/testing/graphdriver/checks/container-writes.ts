/** What containers do to an image's files: the rows of the checks of `changes`, `diffSize` and commits. */
import { type ArchiveEntry, fifo, file, folder, hardLink, symlink } from "../../archive/entry.ts";
import type { Hands } from "../../tree/hands.ts";
import type { GraphDriverCheck } from "../check.ts";
import { hostRoot, root } from "../needs.ts";

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
  readonly steps: (hands: Hands) => void;
  /** Why the steps cannot be taken here. */
  readonly needs?: NonNullable<GraphDriverCheck["needs"]>;
  /** A name was added to a file of the image: a diff carries the file anew, and it may then be one of its own. */
  readonly linksToImage?: boolean;
}

/** `VFS_CAP_REVISION_2`, effective, CAP_NET_BIND_SERVICE permitted. Source: capabilities(7), `linux/capability.h` v6.1. */
const netBind = Buffer.from("0100000200040000000000000000000000000000", "hex");

export const containerWrites: readonly ContainerWrites[] = [
  { id: "nothing", title: "nothing", steps: () => {} },
  {
    id: "new-files",
    title: "new files and folders",
    steps(hands) {
      hands.write("new", "new");
      hands.makeFolder("fresh", 0o711);
      hands.write("fresh/file", "fresh");
      hands.write("data/sub/new", "n".repeat(5000));
      hands.makeFifo("empty/pipe");
      hands.symlink("/etc/hosts", "data/link");
    },
  },
  {
    id: "overwritten",
    title: "files overwritten, with the same size too",
    steps(hands) {
      hands.write("etc/hosts", "changed");
      hands.write("data/one", "9");
    },
  },
  {
    id: "deleted",
    title: "files, a folder and a symlink deleted",
    steps(hands) {
      for (const name of ["etc/hosts", "etc/link", "data", "empty", "pipe"]) hands.remove(name);
    },
  },
  { id: "renamed", title: "a file renamed", steps: (hands) => hands.rename("etc/hosts", "data/hosts") },
  {
    id: "renamed-over",
    title: "a file renamed over another, as editors save",
    steps(hands) {
      hands.write("etc/hosts.new", "edited");
      hands.rename("etc/hosts.new", "etc/hosts");
    },
  },
  { id: "folder-renamed", title: "a folder renamed", steps: (hands) => hands.rename("data", "moved") },
  {
    id: "folder-renamed-into",
    title: "a folder moved into another and back under another name",
    steps(hands) {
      hands.rename("data", "etc/data");
      hands.rename("etc/data/sub", "sub");
    },
  },
  {
    id: "mode",
    title: "a mode changed, of a file and of a folder",
    steps(hands) {
      hands.chmod("bin/tool", 0o755);
      hands.chmod("data/sub", 0o755);
    },
  },
  {
    id: "owner",
    title: "an owner changed, of a file, a folder and a symlink",
    needs: root,
    steps(hands) {
      hands.chown("etc/hosts", 12, 34);
      hands.chown("empty", 12, 34);
      hands.chown("etc/link", 12, 34);
    },
  },
  {
    id: "touched",
    title: "times changed, of a file and of a folder",
    steps(hands) {
      hands.touch("etc/hosts");
      hands.touch("data");
    },
  },
  {
    id: "hard-links",
    title: "new files with several names",
    steps(hands) {
      hands.write("data/a", "shared");
      hands.link("data/a", "etc/b");
      hands.link("data/a", "c");
    },
  },
  {
    id: "link-to-image",
    title: "a name added to a file of the image",
    linksToImage: true,
    steps: (hands) => hands.link("data/one", "etc/one"),
  },
  {
    id: "capability",
    title: "capabilities given to a file, and nothing else changed",
    needs: root,
    steps: (hands) => hands.setAttribute("etc/hosts", "security.capability", netBind),
  },
  {
    id: "devices",
    title: "devices made, one where a file was, and one given other numbers",
    needs: hostRoot,
    steps(hands) {
      hands.makeDevice("null", "character", [1, 3]);
      hands.makeDevice("data/loop", "block", [7, 300]);
      hands.remove("etc/hosts");
      hands.makeDevice("etc/hosts", "character", [1, 5]);
      hands.remove("pipe");
      hands.makeDevice("pipe", "block", [259, 1]);
    },
  },
  {
    id: "sparse",
    title: "a file that is nearly all hole, and one cut off",
    steps(hands) {
      hands.write("data/holes", "at the beginning");
      hands.truncate("data/holes", 2 ** 23);
      hands.truncate("etc/hosts", 4);
    },
  },
  {
    id: "user-xattr",
    title: "an attribute that no diff carries",
    steps: (hands) => hands.setAttribute("etc/hosts", "user.note", Buffer.from("x")),
  },
  {
    id: "folder-replaced",
    title: "a folder deleted and made anew with other content",
    steps(hands) {
      hands.remove("data");
      hands.makeFolder("data");
      hands.write("data/two", "other");
      hands.write("data/three", "3");
    },
  },
  {
    id: "folder-emptied",
    title: "a folder deleted and made anew, empty",
    steps(hands) {
      hands.remove("data");
      hands.makeFolder("data");
    },
  },
  {
    id: "kinds-swapped",
    title: "a folder become a file, a file a folder, a symlink a file",
    steps(hands) {
      hands.remove("data");
      hands.write("data", "file");
      hands.remove("etc/hosts");
      hands.makeFolder("etc/hosts");
      hands.write("etc/hosts/in", "in");
      hands.remove("etc/link");
      hands.write("etc/link", "file");
    },
  },
  {
    id: "undone",
    title: "things made and taken away again",
    steps(hands) {
      hands.write("new", "new");
      hands.remove("new");
      hands.makeFolder("data/tmp");
      hands.write("data/tmp/x", "x");
      hands.remove("data/tmp");
      hands.chmod("bin/tool", 0o755);
      hands.chmod("bin/tool", 0o4755);
    },
  },
  {
    id: "odd-names",
    title: "names that begin alike, and one with a space and a line break",
    steps(hands) {
      for (const name of ["data-", "data.", "data0", "a b\nc", "naïve"]) hands.write(name, name);
      hands.write("data/x", "x");
    },
  },
];
