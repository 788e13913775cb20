/**
 * Whether a diff that a driver read from its own bookkeeping says the same as one that was made by comparing trees.
 * They may differ in this, and in nothing else:
 *
 * - order: one comes as a walk meets the files, the other sorted by whole paths; so which of a file's names is the file
 *   and which are its hard links;
 * - files that were copied up and are as they were below: only the bookkeeping has them;
 * - deletions below an opaque folder: one has the marker, the other each name;
 * - whiteouts' mode, owner and time: one has the whiteout's own, the other none and the time of the call.
 */
import assert from "node:assert/strict";

/** `changed` has the paths of the changes between the two trees. */
export function assertSameDiffs(native, naive, changed) {
  const ours = sort(native, changed);
  const theirs = sort(naive, changed);
  assert.deepEqual([...theirs.opaque], []);
  assert.deepEqual([...ours.files.keys()].toSorted(), [...theirs.files.keys()].toSorted(), "files");
  for (const [path, file] of theirs.files) assert.deepEqual(ours.files.get(path), file, path);
  assert.deepEqual(groups(ours, theirs), groups(theirs, ours), "hard links");
  for (const path of ours.gone) assert.ok(theirs.gone.has(path), `only the native diff deletes ${path}`);
  for (const path of theirs.gone) {
    const isHidden = ours.gone.has(path) || foldersAbove(path).some((folder) => ours.opaque.has(folder));
    assert.ok(isHidden, `only the naive diff deletes ${path}`);
  }
}

function sort(entries, changed) {
  const found = { files: new Map(), firstNameOf: new Map(), gone: new Set(), opaque: new Set() };
  const all = new Map();
  for (const { header, contentHash } of entries) {
    const path = header.name.toString("latin1").replace(/\/$/, "");
    const [folder, base] = split(path);
    if (base === ".wh..wh..opq") found.opaque.add(folder);
    else if (base.startsWith(".wh.")) addIf(changed, found.gone, join(folder, base.slice(".wh.".length)));
    else {
      const first = header.type === "hardlink" ? header.linkName.toString("latin1") : path;
      const file = header.type === "hardlink" ? all.get(first) : describe(header, contentHash);
      assert.ok(file, `${path} is a link to ${first}, which does not come before it`);
      assert.ok(!all.has(path), `${path} comes twice`);
      all.set(path, file);
      found.firstNameOf.set(path, first);
      if (changed.has(path)) found.files.set(path, file);
    }
  }
  return found;
}

function addIf(changed, set, path) {
  if (changed.has(path)) set.add(path);
}

function describe(header, contentHash) {
  const { name: _name, xattrs, linkName, ...rest } = header;
  return { ...rest, target: linkName.toString("latin1"), xattrs: Object.fromEntries(xattrs), contentHash };
}

/** Which of the names that both have are one file. */
function groups({ firstNameOf }, other) {
  const names = new Map();
  for (const [path, first] of firstNameOf) {
    if (other.firstNameOf.has(path)) names.set(first, [...(names.get(first) ?? []), path].toSorted());
  }
  return [...names.values()].filter(({ length }) => length > 1).toSorted();
}

function split(path) {
  const at = path.lastIndexOf("/");
  return [path.slice(0, Math.max(at, 0)), path.slice(at + 1)];
}

const join = (folder, base) => (folder === "" ? base : `${folder}/${base}`);

function foldersAbove(path) {
  const folders = [""];
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) folders.push(path.slice(0, at));
  return folders;
}
