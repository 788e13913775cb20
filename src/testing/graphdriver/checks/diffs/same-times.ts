/**
 * Changes of which neither size nor time tells: `touch -d`, `cp -p`, builds that set all times to one date, and file
 * systems that keep whole seconds.
 */
import { deepEqual, equal } from "node:assert/strict";
import * as fs from "node:fs";
import { isSystemError } from "../../../../errors/index.ts";
import { AT_FDCWD, RENAME_EXCHANGE, renameat2 } from "../../../../syscall/index.ts";
import { type ArchiveEntry, file, folder, longAgoSeconds, symlink } from "../../../archive/entry.ts";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import { readTree } from "../../../tree/read-tree.ts";
import { asArchived, type Tree, withoutFolderTimes } from "../../../tree/tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { commitLayer, listChanges, makeContainer, makeLayer, readLayer, visitLayer } from "../../layers.ts";

/** More than anybody compares at once, and different in its last byte only. */
const long = (end: string): string => `${"x".repeat(300_000)}${end}`;
const many = Array.from({ length: 40 }, (_, at) => `many/${at}`);

const image: readonly ArchiveEntry[] = [
  folder("a"),
  folder("a/b"),
  file("a/b/deep", "old"),
  file("a/b/kept", "kept"),
  file("empty", ""),
  file("long", long("1")),
  folder("many"),
  ...many.map((name) => file(name, "before")),
  file("short", "old"),
  symlink("link", "old"),
];

interface Replacement {
  readonly id: string;
  readonly title: string;
  /** Replaces content; size and time stay what they were. */
  replace(path: string, content: string): void;
}

function setTime(path: string): void {
  fs.lutimesSync(path, longAgoSeconds, longAgoSeconds);
}

const replacements: readonly Replacement[] = [
  {
    id: "rewritten",
    title: "in place, and given its old time back",
    replace(path, content) {
      fs.writeFileSync(path, content);
      setTime(path);
    },
  },
  {
    id: "renamed-over",
    title: "by another that was given the time of the old one, as cp -p and package managers do",
    replace(path, content) {
      fs.writeFileSync(`${path}.new`, content, { mode: 0o644 });
      setTime(`${path}.new`);
      fs.renameSync(`${path}.new`, path);
    },
  },
];

function replaceSymlink(path: string, target: string): void {
  fs.unlinkSync(path);
  fs.symlinkSync(target, path);
  setTime(path);
}

/** Two states of a tree side by side, of which neither size nor time tells. */
const versions: readonly ArchiveEntry[] = ["one", "two"].flatMap((name) => [
  folder(`all/${name}`),
  folder(`all/${name}/sub`),
  folder(`all/${name}/sub/deeper`),
  file(`all/${name}/sub/deeper/file`, name),
  file(`all/${name}.txt`, name),
]);

/** As mv(1) does: a folder that cannot be renamed is copied and removed. */
function moveFolder(from: string, to: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (!isSystemError(error, "EXDEV")) throw error;
    fs.cpSync(from, to, { recursive: true, preserveTimestamps: true });
    fs.rmSync(from, { recursive: true });
  }
}

function exchangeFolders(path: string, one: string, other: string): void {
  moveFolder(`${path}/${one}`, `${path}/aside`);
  moveFolder(`${path}/${other}`, `${path}/${one}`);
  moveFolder(`${path}/aside`, `${path}/${other}`);
}

const deepFiles = ["one", "two"].flatMap((name) => [
  `modified /all/${name}`,
  `modified /all/${name}/sub`,
  `modified /all/${name}/sub/deeper`,
  `modified /all/${name}/sub/deeper/file`,
]);

const moves: readonly { id: string; title: string; move(path: string): void; changes: readonly string[] }[] = [
  {
    id: "folders-moved",
    title: "files in folders that changed places are found, though nobody touched the files themselves",
    move: (path) => exchangeFolders(path, "all/one", "all/two"),
    changes: ["modified /all", ...deepFiles],
  },
  {
    id: "folders-moved-in-others",
    title: "files in folders that changed places with those of other folders are found",
    move: (path) => exchangeFolders(path, "all/one/sub/deeper", "all/two/sub/deeper"),
    changes: ["modified /all", ...deepFiles],
  },
  {
    id: "files-exchanged",
    title: "files that were exchanged in one step are found",
    move: (path) => renameat2(AT_FDCWD, `${path}/all/one.txt`, AT_FDCWD, `${path}/all/two.txt`, RENAME_EXCHANGE),
    changes: ["modified /all", "modified /all/one.txt", "modified /all/two.txt"],
  },
];

/** What a container is asked for, and what was committed of it. */
async function assertChanged(
  context: GraphDriverContext,
  id: string,
  parent: string,
  changes: readonly string[],
  sizeBytes: number,
): Promise<void> {
  deepEqual(await listChanges(context, id, parent), changes);
  equal(await context.driver.diffSize(id, parent), sizeBytes);
  const view = (tree: Tree): Tree => withoutFolderTimes(asArchived(tree));
  const copy = await commitLayer(context, id, parent);
  assertSameTree(view(await readLayer(context, copy)), view(await readLayer(context, id)), "committed layer");
}

const changedByContainer = [
  "modified /a",
  "modified /a/b",
  "modified /a/b/deep",
  "modified /link",
  "modified /long",
  "modified /many",
  ...many.map((name) => `modified /${name}`).toSorted(),
  "modified /short",
];

export const sameTimesChecks: readonly GraphDriverCheck[] = [
  ...replacements.map(({ id, title, replace }): GraphDriverCheck => ({
    id: `same-times/${id}`,
    title: `files that a container replaces ${title}, are found`,
    async run(context) {
      const parent = await makeLayer(context, undefined, image);
      const container = await makeContainer(context, parent);
      await visitLayer(context, container, (path) => {
        for (const name of ["a/b/deep", "short"]) replace(`${path}/${name}`, "new");
        for (const name of many) replace(`${path}/${name}`, "after ");
        replace(`${path}/long`, long("2"));
        replaceSymlink(`${path}/link`, "new");
      });
      const sizeBytes = 2 * 3 + many.length * 6 + 300_001 + 3;
      await assertChanged(context, container, parent, changedByContainer, sizeBytes);
    },
  })),
  {
    id: "same-times/applied",
    title:
      "files that an archive replaces by others of the same size and time, are found, from the parent and from below",
    async run(context) {
      const bottom = await makeLayer(context, undefined, image);
      const middle = await makeLayer(context, bottom, [file("a/b/deep", "mid"), symlink("link", "mid")]);
      const top = await makeLayer(context, middle, [file("long", long("3")), file("short", "top")]);
      await assertChanged(context, top, middle, ["modified /long", "modified /short"], 300_001 + 3);
      const all = ["modified /a", "modified /a/b", "modified /a/b/deep", "modified /link"];
      await assertChanged(context, top, bottom, [...all, "modified /long", "modified /short"], 2 * 3 + 300_001 + 3);
      await assertChanged(context, bottom, top, [...all, "modified /long", "modified /short"], 2 * 3 + 300_001 + 3);
    },
  },
  {
    id: "same-times/steps-of-a-build",
    title: "each of several steps that write the same file at once is found",
    source: "moby v20.10.24 daemon/graphdriver/fsdiff.go Diff, which waits for the next second",
    async run(context) {
      let top = await makeLayer(context, undefined, image);
      for (const step of ["one", "two", "six", "ten"]) {
        const container = await makeContainer(context, top);
        await visitLayer(context, container, (path) => fs.writeFileSync(`${path}/short`, step));
        deepEqual(await listChanges(context, container, top), ["modified /short"]);
        top = await commitLayer(context, container, top);
        await visitLayer(context, top, (path) => equal(fs.readFileSync(`${path}/short`, "utf8"), step));
      }
    },
  },
  ...moves.map(({ id, title, move, changes }): GraphDriverCheck => ({
    id: `same-times/${id}`,
    title,
    async run(context) {
      const parent = await makeLayer(context, undefined, versions);
      const container = await makeContainer(context, parent);
      await visitLayer(context, container, move);
      await assertChanged(context, container, parent, changes, 2 * 3);
    },
  })),
  {
    id: "same-times/siblings",
    title: "layers that were made alike at once, and hold other content, differ",
    async run(context) {
      const [one, other] = await Promise.all(
        ["1", "2"].map((end) => makeLayer(context, undefined, [file("long", long(end)), symlink("link", end)])),
      );
      await assertChanged(context, one!, other!, ["modified /link", "modified /long"], 300_001 + 1);
    },
  },
  {
    id: "same-times/nothing",
    title: "a file that was opened for writing, or written again as it was, is not a change",
    async run(context) {
      const parent = await makeLayer(context, undefined, image);
      const container = await makeContainer(context, parent);
      const before = await readLayer(context, container);
      const after = await visitLayer(context, container, (path) => {
        fs.closeSync(fs.openSync(`${path}/long`, "r+"));
        for (const { replace } of replacements) replace(`${path}/short`, "old");
        replaceSymlink(`${path}/link`, "old");
        fs.chmodSync(`${path}/empty`, 0o600);
        fs.chmodSync(`${path}/empty`, 0o644);
        return readTree(path);
      });
      assertSameTree(withoutFolderTimes(after), withoutFolderTimes(before), "container");
      deepEqual(await listChanges(context, container, parent), []);
    },
  },
];
