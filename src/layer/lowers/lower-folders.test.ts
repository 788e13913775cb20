import * as fs from "node:fs";
import { expect, it } from "vitest";

import { fsetxattr, mknodat, S_IFCHR } from "../../syscall/index.ts";
import { applyLayer } from "../apply/apply.ts";
import { archiveOf, type Entry, readTree, useScratch } from "../tree/trees.test.support.ts";
import { withFolderAt } from "../tree/with-folder.ts";

const scratch = useScratch();
const whiteouts = { kind: "overlay", attributePrefix: "user." } as const;
const file = (name: string): Entry => ({ name });

/** Makes a folder of a layer; `layer` is the name of its diff folder. */
function makeFolder(layer: string, path: string, mode: number, mtimeSeconds = 7): string {
  const folder = `${scratch.folder(layer)}/${path}`;
  fs.mkdirSync(folder, { recursive: true });
  fs.chmodSync(folder, mode);
  fs.utimesSync(folder, mtimeSeconds, mtimeSeconds);
  return folder;
}

function setAttribute(folder: string, name: string, value: string): void {
  withFolderAt(folder, (descriptor) => fsetxattr(descriptor, name, Buffer.from(value)));
}

/** The modes of what the entries make on top of the lowers, the uppermost first. */
function modesAfter(lowers: readonly string[], ...entries: readonly Entry[]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(treeAfter(lowers, ...entries)).map(([path, line]) => [path, line.split(" ")[0] ?? ""]),
  );
}

function treeAfter(lowers: readonly string[], ...entries: readonly Entry[]): Record<string, string> {
  const root = scratch.folder("root");
  const pieces = [archiveOf(...entries)];
  const options = { whiteouts, lowers: lowers.map((layer) => scratch.folder(layer)), ids: { uids: [], gids: [] } };
  withFolderAt(root, (folder) => applyLayer({ read: () => pieces.pop() }, folder, { ...options, syncFiles: false }));
  return readTree(root);
}

it("folders that an archive implies are as the uppermost layer has them that has them", () => {
  makeFolder("lower", "tmp", 0o700);
  makeFolder("lower", "only/deep", 0o2750);
  setAttribute(makeFolder("upper", "tmp", 0o1777, 99), "user.note", "kept");
  const owner = `${process.getuid?.()}:${process.getgid?.()}`;
  const tree = treeAfter(["upper", "lower"], file("tmp/f"), file("only/deep/f"), file("new/f"));
  expect(tree["tmp"]).toBe(`41777 ${owner} 99000000000  user.note=${Buffer.from("kept").toString("hex")}`);
  expect(tree["only/deep"]).toBe(`42750 ${owner} 7000000000 `);
  expect(tree["new"]).toMatch(/^40755 /);
});

it.each(["d/sub", "/d/sub", "./e/../../d/sub", "../../d//sub", "chain"])(
  "a symlink that the archive brings leads on to a folder that only lower layers have, as %s",
  (target) => {
    makeFolder("lower", "d/sub", 0o2750);
    const links = [
      { name: "chain", type: "symlink", linkName: "d/sub" },
      { name: "s", type: "symlink", linkName: target },
    ] as const;
    if (target.includes("e/..")) {
      // The name before it may be a symlink's: nobody can tell where it leads.
      expect(() => treeAfter(["lower"], ...links, file("s/f"))).toThrow(/a symlink that leads nowhere/);
      return;
    }
    const tree = treeAfter(["lower"], ...links, file("s/f"), file("s/.wh.x"), file("s/deeper/g"));
    const made = ["chain", "d", "d/sub", "d/sub/deeper", "d/sub/deeper/g", "d/sub/f", "d/sub/x", "s"];
    expect(Object.keys(tree).toSorted()).toEqual(made);
    expect(tree["d/sub"]).toMatch(/^42750 /);
  },
);

it("a symlink to what no layer has leads nowhere", () => {
  makeFolder("lower", "d", 0o750);
  fs.writeFileSync(scratch.path("lower", "file"), "");
  for (const linkName of ["d/none", "none", "file", "../.."]) {
    const link = { name: "s", type: "symlink", linkName } as const;
    if (linkName === "../..") expect(Object.keys(treeAfter(["lower"], link, file("s/f")))).toEqual(["f", "s"]);
    else expect(() => treeAfter(["lower"], link, file("s/f"))).toThrow(/leads nowhere/);
    expect(fs.existsSync(scratch.path("root", "d"))).toBe(false);
    fs.rmSync(scratch.path("root"), { recursive: true });
  }
});

it("what a layer in between hides is not taken over", () => {
  for (const path of ["deleted/d", "replaced/d", "opaque/d"]) makeFolder("lower", path, 0o700);
  withFolderAt(scratch.folder("upper"), (upper) => mknodat(upper, "deleted", S_IFCHR, 0, 0));
  fs.writeFileSync(scratch.path("upper", "replaced"), "");
  setAttribute(makeFolder("upper", "opaque", 0o711), "user.overlay.opaque", "y");
  const modes = modesAfter(["upper", "lower"], file("deleted/d/f"), file("replaced/d/f"), file("opaque/d/f"));
  for (const path of ["deleted", "deleted/d", "replaced", "replaced/d", "opaque/d"]) expect(modes[path]).toBe("40755");
  expect(modes["opaque"]).toBe("40711");
});

it("what the archive itself hides is not taken over, nor overlay's own attributes", () => {
  setAttribute(makeFolder("lower", "shown/d", 0o700), "user.overlay.opaque", "y");
  makeFolder("lower", "hidden/d/e", 0o700);
  const tree = treeAfter(["lower"], file("hidden/.wh..wh..opq"), file("hidden/d/e/f"), file("shown/d/f"));
  expect(tree["hidden/d"]).toMatch(/^40755 /);
  expect(tree["hidden/d/e"]).toMatch(/^40755 /);
  expect(tree["shown/d"]).toMatch(/^40700 \S+ \S+ $/);
});

it("what the archive says of a folder later counts", () => {
  makeFolder("lower", "d", 0o700);
  const modes = modesAfter(["lower"], file("d/f"), { name: "d", type: "directory", mode: 0o750 });
  expect(modes["d"]).toBe("40750");
});

it("what is deleted in a renamed folder stays deleted, though what lies in it is kept under another name", () => {
  fs.writeFileSync(`${makeFolder("lower", "old/sub/deep", 0o755)}/f`, "");
  withFolderAt(scratch.folder("upper"), (upper) => mknodat(upper, "old", S_IFCHR, 0, 0));
  setAttribute(makeFolder("upper", "new", 0o755), "user.overlay.redirect", "/old");
  setAttribute(makeFolder("upper", "a/plain", 0o755), "user.note", "none");
  const entries = [
    file("new/.wh.none"),
    file("new/sub/.wh.g"),
    file("new/sub/deep/.wh.f"),
    file("new/sub/h"),
    file("a/plain/none/.wh.f"),
  ];
  const tree = treeAfter(["upper", "lower"], ...entries);
  expect(
    Object.keys(tree)
      .filter((path) => path.startsWith("new/sub/"))
      .toSorted(),
  ).toEqual(["new/sub/deep", "new/sub/deep/f", "new/sub/g", "new/sub/h"]);
  expect(tree["new/sub/deep/f"]).toMatch(/^20000 /);
  expect(tree["a/plain/none"]).toBeUndefined();
  fs.rmSync(scratch.path("root"), { recursive: true });
  const hiding = treeAfter(["upper", "lower"], file("new/.wh..wh..opq"), file("new/sub/.wh.f"));
  expect(hiding["new/sub/f"]).toBeUndefined();
});

it.each([
  "../outside",
  "..",
  ".",
  "/.",
  "/..",
  "x/../../outside",
  "/../outside",
  "/d/../../outside",
  "/",
  "//d",
  "x/link/.",
  "/d/\0",
])("a folder that redirects to %j, as the kernel refuses it, shows nothing of what is there", (redirect) => {
  for (const [layer, path] of [
    ["outside", "d"],
    ["lower", "d"],
    ["lower", "d/d"],
    ["", "d"],
  ] as const)
    makeFolder(layer, path, 0o711);
  fs.symlinkSync("../../outside", `${makeFolder("lower", "x", 0o755)}/link`);
  setAttribute(makeFolder("upper", "new", 0o755), "user.overlay.redirect", redirect);
  expect(modesAfter(["upper", "lower"], file("new/d/f"))["new/d"]).toBe("40755");
});

it("a folder that is opaque and redirects shows nothing below, as the kernel has it", () => {
  makeFolder("lower", "old/d", 0o711);
  const opaque = makeFolder("upper", "new", 0o755);
  setAttribute(opaque, "user.overlay.redirect", "/old");
  expect(modesAfter(["upper", "lower"], file("new/d/f"))["new/d"]).toBe("40711");
  fs.rmSync(scratch.path("root"), { recursive: true });
  setAttribute(opaque, "user.overlay.opaque", "y");
  expect(modesAfter(["upper", "lower"], file("new/d/f"))["new/d"]).toBe("40755");
});
