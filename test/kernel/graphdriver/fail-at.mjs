import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";

/**
 * Has a file or folder that cannot be read: a file system in user space whose program has died is mounted over it. To
 * whoever looks at it the kernel says ENOTCONN, to root, too. Returns what takes that away.
 */
export function failAt(path) {
  const kind = statSync(path).isDirectory() ? "40000" : "100000";
  const mount = `mount -i -t fuse -o fd=3,rootmode=${kind},user_id=0,group_id=0 dead "$1"`;
  run("bash", "-c", `set -e; exec 3<>/dev/fuse; ${mount}; exec 3<&-`, "bash", path);
  return () => run("umount", "-l", path);
}

function run(command, ...args) {
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}
