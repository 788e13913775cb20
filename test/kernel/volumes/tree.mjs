/** A tree with a file of every kind, and all that is to be told of a tree: for copies and archives of it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from "node:fs";

const run = (program, ...args) => execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** Fills an empty folder; the names are such as a layer's archive would take for its own. */
export function growTree(root) {
  mkdirSync(`${root}/deep/er`, { recursive: true });
  writeFileSync(`${root}/deep/er/file`, "content");
  writeFileSync(`${root}/deep/.wh.file`, "no deletion");
  writeFileSync(`${root}/.wh..wh..opq`, "no mark");
  run("ln", `${root}/deep/er/file`, `${root}/linked`);
  run("ln", "-s", "deep/er", `${root}/symbolic`);
  run("mkfifo", `${root}/fifo`);
  run("mknod", `${root}/null`, "c", "1", "3");
  run("chown", "-h", "70:71", `${root}/deep`, `${root}/symbolic`, `${root}/fifo`);
  run("chown", "999:999", root);
  run("chmod", "4750", `${root}/deep/er/file`);
  run("setfattr", "-n", "user.note", "-v", "0xff00fe", `${root}/deep/er/file`);
  run("setfattr", "-n", "trusted.note", "-v", "trusted", `${root}/deep`);
  run("setfattr", "-n", "user.root", "-v", "root", root);
  // As in the data root of an engine in a container: deletions, and folders that hide what is below.
  run("mknod", `${root}/deep/deleted`, "c", "0", "0");
  run("ln", `${root}/deep/deleted`, `${root}/deep/deleted-too`);
  run("setfattr", "-n", "trusted.overlay.opaque", "-v", "y", `${root}/deep`);
  run("setfattr", "-n", "trusted.overlay.redirect", "-v", "/elsewhere", `${root}/deep/er`);
  run("setfattr", "-n", "trusted.overlay.origin", "-v", "0x00fb2100", `${root}/deep/er/file`);
  const sparse = openSync(`${root}/sparse`, "w");
  writeSync(sparse, Buffer.alloc(65_536, 1), 0, 65_536, 4 * 2 ** 20);
  ftruncateSync(sparse, 64 * 2 ** 20);
  closeSync(sparse);
  run("touch", "-h", "-d", "2001-02-03 04:05:06.789", `${root}/deep/er/file`, `${root}/symbolic`, `${root}/deep`, root);
  run("chmod", "0710", root);
}

/** What GNU find, getfattr and sha256sum tell of a tree. */
export function describeTree(root) {
  // resize2fs and e2fsck give "lost+found" their own time.
  const format = "%P %y %#m %U %G %T@ %n %l\\n";
  const listed = run("find", root, "-name", "lost+found", "-prune", "-o", "-printf", format).split("\n");
  const shell = 'cd "$1" && getfattr -R -h -d -m - -e hex . && find . -type f -exec sha256sum {} + | sort';
  return [...listed.toSorted(), run("bash", "-c", shell, "describe", root)].join("\n");
}

export function assertSameTree(copy, original, message) {
  assert.equal(describeTree(copy), describeTree(original), message);
  const { ino } = statSync(`${copy}/linked`);
  assert.equal(statSync(`${copy}/deep/er/file`).ino, ino, "hard links");
  assert.ok(statSync(`${copy}/sparse`).blocks * 512 < 2 ** 20, "holes");
}
