import { fileURLToPath } from "node:url";
import { CleatError, toCleatError } from "../../errors/index.ts";
import { type MountEntry, readMounts } from "../../syscall/index.ts";
import type { MountOrder, MountOutcome } from "./mount-child.ts";
import { type HelperOptions, runHelper } from "./run-helper.ts";
import { runTool } from "./run-tool.ts";

export interface MountRequest extends Pick<HelperOptions, "signal"> {
  /** As the kernel calls it: "tmpfs", "nfs4", "ext4"; of no meaning for a bind. */
  readonly type: string;
  readonly source: string;
  /** An absolute path with no symlinks in it. */
  readonly target: string;
  /**
   * One each: those of every mount ("ro", "nosuid", "noexec", …), "bind" or "rbind", and the file system's own. Nobody
   * else sees them: they may hold secrets.
   */
  readonly options?: readonly string[];
}

const child = fileURLToPath(new URL("./mount-child.js", import.meta.url));

/**
 * Mounts a file system, or binds a folder, in a process of its own, which is killed when `signal` aborts. It is seen
 * with all its options or not at all. Costs the start of a Node; needs root, and Linux 5.2 (5.12 for a bind that has
 * options).
 * @throws UNIMPLEMENTED for a file system that the kernel does not know; otherwise what the kernel says.
 */
export async function mountFileSystem({ type, source, target, options = [], signal }: MountRequest): Promise<void> {
  const order: MountOrder = { type, source, target, options };
  const said = await runHelper(process.execPath, [child], { signal, input: JSON.stringify(order) });
  const outcome = JSON.parse(said) as MountOutcome;
  if (!outcome.ok) throw new CleatError(outcome.code, outcome.message);
}

export interface FileSystemUsage {
  readonly sizeBytes: number;
  readonly usedBytes: number;
  /** What those may still take who are not root. */
  readonly availableBytes: number;
  readonly inodes: number;
  readonly freeInodes: number;
}

/** What statfs(2) says of the file system at a path, asked in a process that can be killed. */
export async function fileSystemUsage(
  path: string,
  { signal }: Pick<HelperOptions, "signal"> = {},
): Promise<FileSystemUsage> {
  const said = await runTool("statfs", path, { signal });
  const [block = 0, blocks = 0, free = 0, available = 0, inodes = 0, freeInodes = 0] = said.split(" ").map(Number);
  return {
    sizeBytes: blocks * block,
    usedBytes: (blocks - free) * block,
    availableBytes: available * block,
    inodes,
    freeInodes,
  };
}

/**
 * Unmounts what is mounted at `target`, all of it; where nothing is, that is well.
 * @throws FAILED_PRECONDITION while it is busy.
 */
export async function unmountFileSystem(target: string, { signal }: Pick<HelperOptions, "signal"> = {}): Promise<void> {
  while (isMountPoint(target)) {
    try {
      await runTool("umount", target, { signal });
    } catch (error) {
      if (!isMountPoint(target)) return; // somebody else has done it
      const { message } = toCleatError(error);
      if (tellsOfBusy(message, target)) throw new CleatError("FAILED_PRECONDITION", message, { cause: error });
      throw error;
    }
  }
}

/**
 * Unmounts what is mounted at `target` with all that is mounted below, in one step, also while files of it are
 * open: they stay until they are closed. What the host has mounted is not reached: unless the tree `isSlave`, as
 * `mountFileSystem` makes one of "rbind", it is made so first, which leaves copies of what lies below to other
 * mount namespaces that saw it.
 */
export async function unmountTree(
  target: string,
  { isSlave, signal }: Pick<HelperOptions, "signal"> & { readonly isSlave: boolean },
): Promise<void> {
  for (let mounts = readMounts(); mounts.some(({ mountPoint }) => mountPoint === target); mounts = readMounts()) {
    if (!isSlave || hasPeersBeyond(target, mounts)) await runTool("enslave", target, { signal });
    await runTool("detach", target, { signal });
  }
}

/** Whether what is unmounted below `target` is unmounted elsewhere in this namespace, too: mount_namespaces(7). */
function hasPeersBeyond(target: string, mounts: readonly MountEntry[]): boolean {
  const groupsOf = (isBelow: boolean) =>
    mounts
      .filter(({ mountPoint }) => (mountPoint === target || mountPoint.startsWith(`${target}/`)) === isBelow)
      .flatMap(({ propagation }) => propagation.filter((one) => one.startsWith("shared:")));
  const beyond = new Set(groupsOf(false));
  return groupsOf(true).some((group) => beyond.has(group));
}

/** Whether umount(8), or the system call, says so: not the path, which may be of a volume "busybox". */
export function tellsOfBusy(message: string, target: string): boolean {
  return /\b(?:target is|resource) busy\b/i.test(message.replaceAll(target, () => ""));
}

/** All places where something is mounted, as the kernel's table says, without touching what is mounted. */
export function readMountPoints(): ReadonlySet<string> {
  return new Set(readMounts().map(({ mountPoint }) => mountPoint));
}

/** The same of one place. The path has no symlinks in it. */
export function isMountPoint(path: string): boolean {
  return readMountPoints().has(path);
}

/** Whether something is mounted at a folder or below; `mounted` is what there is, for who asks about many. */
export function hasMounts(folder: string, mounted: readonly MountEntry[] = readMounts()): boolean {
  return mounted.some(({ mountPoint }) => mountPoint === folder || mountPoint.startsWith(`${folder}/`));
}
