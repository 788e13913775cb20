/**
 * A layer that is unpacked: nothing beside its folder changes, what is there can be archived and removed, and the
 * archive of it unpacks to the same.
 */
import assert from "node:assert/strict";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";

import { applyLayer, archiveTree, removeTree, withFolderAt } from "#dist/layer/index.js";
import { lgetxattr } from "#dist/syscall/index.js";
import { dictionary, repair, seeds } from "../tar-input.mjs";

export { dictionary, repair, seeds };

const scratch = mkdtempSync("/dev/shm/cleat-fuzz-");
writeFileSync(`${scratch}/victim`, "victim");
process.umask(0);
const asRoot = process.getuid() === 0;
const noIds = { uids: [], gids: [] };
let number = 0;

const surroundings = () => {
  const { ctimeMs, nlink, size } = lstatSync(`${scratch}/victim`);
  return [readdirSync(scratch).filter((name) => !name.startsWith("root-")), ctimeMs, nlink, size];
};
const before = surroundings();

export function run(input) {
  const conventions = asRoot
    ? [{ kind: "delete" }, { kind: "overlay", attributePrefix: "trusted." }]
    : [{ kind: "delete" }];
  for (const whiteouts of conventions) {
    // The time of a whiteout is that of its making, and a second may end between two.
    const isSame = unpacksToTheSame(input, whiteouts) || unpacksToTheSame(input, whiteouts);
    assert.ok(isSame, "its archive unpacks to something else");
  }
}

function unpacksToTheSame(input, whiteouts) {
  const roots = [`root-${number++}`, `root-${number++}`];
  for (const root of roots) mkdirSync(`${scratch}/${root}`);
  const [first, second] = roots.map((root) => `${scratch}/${root}`);
  try {
    try {
      withFolderAt(first, (folder) =>
        applyLayer(sourceOf(input), folder, { whiteouts, ids: noIds, syncFiles: false, squash: !asRoot }),
      );
    } finally {
      assert.deepEqual(surroundings(), before, "something beside the layer has changed");
    }
    // Of what an opaque root hides below nothing is in an archive.
    if (lgetxattr(first, "trusted.overlay.opaque") !== undefined) return true;
    const archive = archiveOf(first, whiteouts);
    withFolderAt(second, (folder) =>
      applyLayer(sourceOf(archive), folder, { whiteouts, ids: noIds, syncFiles: false, squash: !asRoot }),
    );
    return archiveOf(second, whiteouts).equals(archive);
  } finally {
    for (const root of roots) withFolderAt(scratch, (folder) => removeTree(folder, root));
  }
}

function sourceOf(bytes) {
  let at = 0;
  return { read: () => (at < bytes.length ? bytes.subarray(at, (at += 700)) : undefined) };
}

function archiveOf(root, whiteouts) {
  const parts = [];
  const sink = { write: (bytes) => void parts.push(Buffer.from(bytes)) };
  withFolderAt(root, (folder) => archiveTree(folder, sink, { whiteouts, ids: noIds, archiveDialect: "docker-26" }));
  return Buffer.concat(parts);
}

export const close = () => rmSync(scratch, { recursive: true });
