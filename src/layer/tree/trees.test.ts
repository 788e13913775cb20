import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createTarReader } from "../../tar/index.ts";
import { fstat, statat } from "../../syscall/index.ts";
import { archiveDifference, differenceSize } from "../archive/archive-difference.ts";
import type { TreeChange } from "../changes/change.ts";
import { compareTrees, findChanges } from "../changes/compare-trees.ts";
import { copyOpened } from "../copy/copy-file.ts";
import { copyNode, copyTree } from "../copy/copy-tree.ts";
import { removeTree } from "./remove-tree.ts";
import { archive, nest, readTree, useScratch } from "./trees.test.support.ts";
import { diskUsage } from "../usage/disk-usage.ts";
import { treeSize } from "../usage/tree-size.ts";
import { withFolderAt } from "./with-folder.ts";

const scratch = useScratch();

function fill(root: string): void {
  fs.mkdirSync(`${root}/d/e`, { recursive: true });
  fs.writeFileSync(`${root}/d/f`, "content");
  fs.linkSync(`${root}/d/f`, `${root}/d/e/g`);
  fs.symlinkSync("d/f", `${root}/l`);
  fs.writeFileSync(Buffer.from(`${root}/caf\xe9`, "latin1"), "");
  fs.chmodSync(`${root}/d`, 0o1700);
  for (const name of ["d/f", "d/e", "d"]) fs.utimesSync(`${root}/${name}`, 1000.5, 1000.5);
}

const changesOf = (newer: string, older: string): string[] =>
  withFolderAt(newer, (a) => withFolderAt(older, (b) => compareTrees(a, b))).map(({ kind, path }) => `${kind} ${path}`);

describe("a copy of a tree", () => {
  it("is the same in all that is kept of files, holes included", () => {
    const from = scratch.folder("from");
    fill(from);
    const descriptor = fs.openSync(`${from}/sparse`, "w");
    for (const at of [0, 2 ** 22, 2 ** 24]) fs.writeSync(descriptor, `data at ${at}`, at);
    fs.ftruncateSync(descriptor, 2 ** 26);
    fs.closeSync(descriptor);
    const to = scratch.folder("to");
    withFolderAt(from, (source) => withFolderAt(to, (target) => copyTree(source, target)));
    expect(readTree(to)).toEqual(readTree(from));
    expect(fs.readFileSync(`${to}/sparse`).equals(fs.readFileSync(`${from}/sparse`))).toBe(true);
    expect(fs.statSync(`${to}/sparse`).blocks).toBeLessThanOrEqual(fs.statSync(`${from}/sparse`).blocks + 16);
    expect(changesOf(to, from)).toEqual([]);
    const sizes = [from, to].map((root) => withFolderAt(root, treeSize));
    expect(sizes).toEqual([7 + 3 + 2 ** 26, 7 + 3 + 2 ** 26]);
  });
});

it("a copy goes as deep as a path may be long, for which there is no stack, nor are there descriptors", () => {
  const [from, to] = [scratch.folder("from"), scratch.folder("to")];
  const depth = 2_040;
  nest(from, depth);
  const before = openCount();
  withFolderAt(from, (source) => withFolderAt(to, (target) => copyTree(source, target)));
  expect(openCount()).toBe(before);
  expect(withFolderAt(to, (folder) => diskUsage(folder)).entries).toBe(depth + 1);
});

const openCount = (): number => fs.readdirSync("/proc/self/fd").length;

describe.runIf(isOtherFileSystem("/dev/shm"))("a copy on another file system", () => {
  const elsewhere = useScratch("/dev/shm");

  it("is the same in all that is kept of files, however large they are, holes included", () => {
    const [from, to] = [elsewhere.folder("from"), scratch.folder("to")];
    fs.writeFileSync(`${from}/large`, Buffer.alloc(2 ** 20 + 7, "large"));
    fs.writeFileSync(`${from}/sparse`, "data");
    fs.truncateSync(`${from}/sparse`, 2 ** 22);
    withFolderAt(from, (source) => withFolderAt(to, (target) => copyTree(source, target)));
    expect(readTree(to)).toEqual(readTree(from));
    for (const name of ["large", "sparse"]) {
      expect(fs.readFileSync(`${to}/${name}`).equals(fs.readFileSync(`${from}/${name}`))).toBe(true);
    }
  });
});

function isOtherFileSystem(path: string): boolean {
  return fs.existsSync(path) && fs.statSync(path).dev !== fs.statSync(tmpdir()).dev;
}

describe("a copy of what changes meanwhile", () => {
  /** Copies the file, of which a look has told before `change`. */
  function copyAfter(change: (path: string) => void): string {
    const [from, to] = [scratch.folder("from"), scratch.folder("to")];
    fs.writeFileSync(`${from}/file`, "data");
    fs.truncateSync(`${from}/file`, 2 ** 22);
    const name = Buffer.from("file");
    withFolderAt(from, (source) => {
      const status = statat(source, name);
      change(`${from}/file`);
      withFolderAt(to, (target) => copyNode(source, target, name, status, { clones: false }));
    });
    return `${to}/file`;
  }

  it("is none of a file with holes that becomes shorter once it is open", () => {
    const [from, to] = [scratch.folder("from"), scratch.folder("to")];
    fs.writeFileSync(`${from}/file`, "data");
    fs.truncateSync(`${from}/file`, 2 ** 22);
    const source = fs.openSync(`${from}/file`, "r");
    const status = fstat(source);
    fs.truncateSync(`${from}/file`, 2);
    const copy = () =>
      withFolderAt(to, (target) => copyOpened(source, target, Buffer.from("file"), status, { clones: false }));
    expect(copy).toThrow(expect.objectContaining({ code: "ABORTED" }));
    fs.closeSync(source);
  });

  it("is all of another file that has taken the name", () => {
    const copy = copyAfter((path) => {
      fs.rmSync(path);
      fs.writeFileSync(path, "another");
    });
    expect(fs.readFileSync(copy, "utf8")).toBe("another");
  });

  it.runIf(process.geteuid?.() === 0)("has nothing of a device, which only the host may read", () => {
    const swap = (path: string): void => {
      fs.rmSync(path);
      execFileSync("mknod", [path, "c", "1", "5"]);
    };
    expect(() => copyAfter(swap)).toThrow(expect.objectContaining({ code: "ABORTED" }));
  });
});

describe.runIf(process.geteuid?.() === 0)("owners and modes of a copy", () => {
  it("are those of the original, whatever the folder around the copy gives to new files", () => {
    const from = scratch.folder("from");
    fill(from);
    for (const [name, uid, gid, mode] of [
      ["setuid", 0, 0, 0o4755],
      ["owned", 1000, 1001, 0o6711],
      ["sticky", 0, 0, 0o1666],
      ["closed", 7, 0, 0],
    ] as const) {
      fs.writeFileSync(`${from}/d/${name}`, name);
      fs.mkdirSync(`${from}/d/folder-${name}`);
      for (const path of [`${from}/d/${name}`, `${from}/d/folder-${name}`]) {
        fs.chownSync(path, uid, gid);
        fs.chmodSync(path, mode);
      }
    }
    const to = scratch.folder("to");
    fs.chownSync(to, 0, 1234);
    fs.chmodSync(to, 0o2777);
    withFolderAt(from, (source) => withFolderAt(to, (target) => copyTree(source, target)));
    expect(readTree(to)).toEqual(readTree(from));
  });
});

describe("changes between two trees", () => {
  const edits: [string, (root: string) => void, string[]][] = [
    ["none", () => {}, []],
    [
      "content",
      (root) => fs.writeFileSync(`${root}/d/f`, "other"),
      ["modified d", "modified d/e", "modified d/e/g", "modified d/f"],
    ],
    ["mode", (root) => fs.chmodSync(`${root}/d/e`, 0o700), ["modified d", "modified d/e"]],
    ["time of a folder", (root) => fs.utimesSync(`${root}/d/e`, 1, 1), []],
    [
      "nanoseconds of a file",
      (root) => fs.utimesSync(`${root}/d/f`, 1000.6, 1000.6),
      ["modified d", "modified d/e", "modified d/e/g", "modified d/f"],
    ],
    ["a new file", (root) => fs.writeFileSync(`${root}/d/n`, ""), ["modified d", "added d/n"]],
    ["a new folder", (root) => fs.mkdirSync(`${root}/n/m`, { recursive: true }), ["added n", "added n/m"]],
    ["a file gone", (root) => fs.rmSync(`${root}/d/e/g`), ["modified d", "modified d/e", "deleted d/e/g"]],
    ["a folder gone, once", (root) => fs.rmSync(`${root}/d`, { recursive: true }), ["deleted d"]],
    [
      "a file that became a folder",
      (root) => {
        fs.rmSync(`${root}/l`);
        fs.mkdirSync(`${root}/l/m`, { recursive: true });
      },
      ["modified l", "added l/m"],
    ],
    [
      "a folder that became a file",
      (root) => {
        fs.rmSync(`${root}/d`, { recursive: true });
        fs.writeFileSync(`${root}/d`, "");
      },
      ["modified d"],
    ],
    [
      "a symlink's target",
      (root) => {
        fs.rmSync(`${root}/l`);
        fs.symlinkSync("elsewhere", `${root}/l`);
      },
      ["modified l"],
    ],
  ];

  it.each(edits)("are exact: %s", (_, edit, expected) => {
    const [older, newer] = [scratch.folder("older"), scratch.folder("newer")];
    fill(older);
    withFolderAt(older, (source) => withFolderAt(newer, (target) => copyTree(source, target)));
    edit(newer);
    expect(changesOf(newer, older)).toEqual(expected);
  });

  it("are archived in the order of their paths, deletions as whiteouts of now", () => {
    const [older, newer] = [scratch.folder("older"), scratch.folder("newer")];
    fill(older);
    withFolderAt(older, (source) => withFolderAt(newer, (target) => copyTree(source, target)));
    fs.rmSync(`${newer}/l`);
    fs.writeFileSync(`${newer}/d/e/n`, "12345");
    fs.writeFileSync(`${newer}/d.x`, "");
    const parts: Buffer[] = [];
    const write = (bytes: Uint8Array): void => void parts.push(Buffer.from(bytes));
    const options = {
      whiteouts: { kind: "delete" },
      ids: { uids: [], gids: [] },
      archiveDialect: "docker-26",
    } as const;
    withFolderAt(newer, (a) => withFolderAt(older, (b) => archiveDifference(a, b, { write }, options)));
    const reader = createTarReader({ read: () => parts.shift() });
    const found: string[] = [];
    for (let header = reader.next(); header !== undefined; header = reader.next()) {
      found.push(header.name.toString("latin1"));
      if (header.name.includes(".wh.")) expect(Math.abs(header.mtimeSeconds - Date.now() / 1000)).toBeLessThan(60);
    }
    expect(found).toEqual(["d/", "d.x", "d/e/", "d/e/n", ".wh.l"]);
    expect(withFolderAt(newer, (a) => withFolderAt(older, (b) => differenceSize(a, b)))).toBe(5);
  });
});

describe("the order of changes", () => {
  /** Names that begin alike, with bytes on either side of the slash. */
  const names = fc.constantFrom("a", "a!", "a.", "a.b", "a0", "a-", "b", "a!.");
  const paths = fc.array(names, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  const trees = fc.array(fc.tuple(paths, fc.constantFrom("folder", "one", "two")), { maxLength: 14 });

  function make(root: string, entries: readonly (readonly [string, string])[]): void {
    for (const [path, content] of entries) {
      const folders = (content === "folder" ? path : path.slice(0, Math.max(0, path.lastIndexOf("/")))).split("/");
      for (const at of folders.keys()) {
        const folder = `${root}/${folders.slice(0, at + 1).join("/")}`;
        if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) fs.rmSync(folder, { force: true });
        fs.mkdirSync(folder, { recursive: true });
      }
      if (content === "folder") continue;
      fs.rmSync(`${root}/${path}`, { recursive: true, force: true });
      fs.writeFileSync(`${root}/${path}`, content);
      fs.utimesSync(`${root}/${path}`, content.length, content.charCodeAt(0));
    }
  }

  it("is that of the bytes of their paths, and they are those of two whole readings", () => {
    fc.assert(
      fc.property(trees, trees, (before, after) => {
        const [older, newer] = [scratch.folder("older"), scratch.folder("newer")];
        make(older, before);
        make(newer, after);
        const found = withFolderAt(newer, (a) => withFolderAt(older, (b) => compareTrees(a, b)));
        expect(found).toEqual(comparedWhole(readTree(newer), readTree(older)));
        for (const root of [older, newer]) fs.rmSync(root, { recursive: true });
      }),
    );
  });

  /** Of trees that differ in files only. */
  function comparedWhole(newer: Record<string, string>, older: Record<string, string>): TreeChange[] {
    const kinds = new Map<string, TreeChange["kind"]>();
    const isFolder = (line: string | undefined): boolean => line?.startsWith("4") === true;
    const without = (line: string | undefined): string | undefined => (isFolder(line) ? "folder" : line);
    for (const path of new Set([...Object.keys(newer), ...Object.keys(older)])) {
      const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
      if (newer[path] === undefined) {
        if (folder === "" || isFolder(newer[folder])) kinds.set(path, "deleted");
      } else if (older[path] === undefined) kinds.set(path, "added");
      else if (without(newer[path]) !== without(older[path])) kinds.set(path, "modified");
    }
    for (const path of kinds.keys()) {
      for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
        if (!kinds.has(path.slice(0, at))) kinds.set(path.slice(0, at), "modified");
      }
    }
    return [...kinds].map(([path, kind]) => ({ path, kind })).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  it("holds in folders nested as deep as a path can name", () => {
    const [older, newer] = [scratch.folder("older"), scratch.folder("newer")];
    nest(newer, 2000);
    const found = withFolderAt(newer, (a) => withFolderAt(older, (b) => compareTrees(a, b)));
    expect(found.length).toBe(2000);
    expect(found.every(({ kind, path }, at) => kind === "added" && path.length === 2 * at + 1)).toBe(true);
  });

  it.each([0, 1, 17, 40, 149])(
    "costs few descriptors, and gives out the open folder of each, %i folders deep",
    (at) => {
      const [older, newer] = [scratch.folder("older"), scratch.folder("newer")];
      for (const root of [older, newer]) fs.mkdirSync(`${root}/${"d/".repeat(150)}`, { recursive: true });
      const folder = `${newer}/${"d/".repeat(at)}`;
      fs.writeFileSync(`${folder}own`, "x");
      fs.writeFileSync(`${folder}d.own`, "x"); // comes before what lies in `d`
      const open = (): number => fs.readdirSync("/proc/self/fd").length;
      const openBefore = open();
      let most = 0;
      const seen: string[] = [];
      withFolderAt(newer, (a) =>
        withFolderAt(older, (b) => {
          for (const change of findChanges(a, b)) {
            most = Math.max(most, open() - openBefore);
            if (change.kind === "deleted") continue;
            seen.push(change.path);
            expect(String(statat(change.folder, change.base).inode)).toBe(
              String(fs.lstatSync(`${newer}/${change.path}`).ino),
            );
          }
        }),
      );
      const above = Array.from({ length: at }, (_, level) => "d/".repeat(level + 1).slice(0, -1));
      expect(seen.filter((path) => !path.endsWith("own")).slice(0, at)).toEqual(above);
      expect(seen.filter((path) => path.endsWith("own"))).toEqual(
        ["d.own", "own"].map((name) => "d/".repeat(at) + name),
      );
      expect(most).toBeLessThan(90);
      expect(open()).toBe(openBefore);
    },
  );

  it("is met one by one: what comes after the last that was asked for is not opened", () => {
    const newer = scratch.folder("newer");
    for (const name of ["a", "b"]) make(newer, [[`${name}/f`, "one"]]);
    const openBefore = fs.readdirSync("/proc/self/fd").length;
    withFolderAt(newer, (root) => {
      for (const { path } of findChanges(root, undefined)) {
        fs.rmSync(`${newer}/b`, { recursive: true, force: true });
        if (path === "a/f") break;
      }
    });
    expect(fs.readdirSync("/proc/self/fd").length).toBe(openBefore);
  });
});

describe("removing a tree", () => {
  it("removes all of it, and nothing that symlinks in it point to", () => {
    const root = scratch.folder("root");
    fill(root);
    fs.symlinkSync(scratch.folder("other"), `${root}/out`);
    withFolderAt(scratch.path(), (folder) => removeTree(folder, "root"));
    withFolderAt(scratch.path(), (folder) => removeTree(folder, "root"));
    expect(fs.readdirSync(scratch.path())).toEqual(["other"]);
  });

  it("copes with folders nested deeper than there is stack or descriptors", () => {
    nest(scratch.folder("deep"), 5000);
    const openBefore = fs.readdirSync("/proc/self/fd").length;
    withFolderAt(scratch.path(), (folder) => removeTree(folder, "deep"));
    expect(fs.readdirSync(scratch.path())).toEqual([]);
    expect(fs.readdirSync("/proc/self/fd").length).toBe(openBefore);
  });
});

describe("an archive of a tree", () => {
  it("leaves out sockets, and has no entry for the root", async () => {
    const root = scratch.folder("root");
    const { createServer } = await import("node:net");
    const server = createServer().listen(`${root}/s`);
    await new Promise((resolve) => server.once("listening", resolve));
    expect(archive(root)).toEqual(Buffer.alloc(1024));
    await new Promise((resolve) => server.close(resolve));
  });
});
