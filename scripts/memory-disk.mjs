/**
 * A disk in memory for what tests write: they make thousands of layers durable, and what a machine's own disk takes for
 * that is most of their time, also of the processor's. ext4 with a journal, which is what most machines have.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { sep } from "node:path";
import { projectFolder } from "./prepare.mjs";

/**
 * Where tests that mount or start engines have their scratch folders (`test/harness/namespaces/scratch.ts`); the others
 * are told.
 */
const folder = "/var/tmp";

/**
 * Enough for what a whole run has at once, which is some hundred megabytes: what is deleted is given back. Two run side
 * by side.
 */
const sizeGb = 4;

/** In a mount namespace of its own, so that nothing is left of it when the last process in there has ended. */
const script = `
  set -e
  mount -t tmpfs -o size=$1 cleat-tests ${folder}
  truncate -s $1 ${folder}/image
  mkfs.ext4 -q -E nodiscard ${folder}/image
  mount -o loop,discard ${folder}/image ${folder}
  chmod 1777 ${folder}
  shift
  exec "$@"
`;

const inNamespace = ["unshare", "--mount", "--propagation", "private", "bash", "-c", script, "memory-disk"];

/**
 * What makes of a command one that runs on such a disk, and what that is told in its environment. Where this machine
 * cannot have one, the command stays, and that is said.
 */
export function createMemoryDisk() {
  const obstacle = whyNotInMemory();
  if (obstacle === undefined)
    return { wrap: (argv) => [...inNamespace, `${sizeGb}G`, ...argv], env: { TMPDIR: folder } };
  console.error(`cleat: tests write to this machine's disk, which takes longer than memory: ${obstacle}`);
  return { wrap: (argv) => argv, env: {} };
}

function whyNotInMemory() {
  if (process.getuid() !== 0) return "mounting needs root";
  if (`${projectFolder}${sep}`.startsWith(`${realpathSync(folder)}${sep}`)) return `it would hide ${projectFolder}`;
  const gb = Math.floor(availableBytes() / 2 ** 30);
  if (gb < 2 * sizeGb) return `${gb} GB of memory are available, and it takes ${2 * sizeGb}`;
  const [command, ...args] = [...inNamespace, "64M", "true"];
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? undefined : stderr.trim();
}

/** Of the machine, or of the control group that this runs in, if that may have less. */
function availableBytes() {
  const [, availableKb] = /^MemAvailable: +(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8")) ?? [];
  return Math.min(availableKb * 1024, process.constrainedMemory() || Infinity);
}
