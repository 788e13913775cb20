/** What makes, checks, mounts and grows a file system in a file: the programs of e2fsprogs, xfsprogs and util-linux. */
import { readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";
import { CleatError } from "../../../errors/index.ts";
import { readMounts } from "../../../syscall/index.ts";
import { type HelperOptions, runHelper } from "../../mounting/run-helper.ts";

export type ImageFileSystem = "ext4" | "xfs";

type Call = Pick<HelperOptions, "signal">;

/**
 * Makes an empty one in a file that has its length. @throws UNKNOWN with what mkfs says: xfs takes no less than 300 MB.
 */
export async function makeFileSystem(path: string, type: ImageFileSystem, call: Call): Promise<void> {
  if (type === "xfs") return void (await runHelper("mkfs.xfs", ["-q", path], call));
  await runHelper("mkfs.ext4", ["-q", "-F", "-m", "0", path], call);
  // Programs, and engines that fill new volumes, want an empty folder; e2fsck makes it anew when it needs it.
  await runHelper("debugfs", ["-w", "-R", "rmdir lost+found", path], call);
}

/**
 * Whether a loop device has it, whoever mounted that: mounts of other namespaces are in no table of this one, and a
 * mount that was given up may still come. Whoever writes to the file then damages what runs. Source: losetup(8), by
 * inode.
 */
export async function isAttached(path: string, call: Call): Promise<boolean> {
  const devices = await runHelper("losetup", ["--noheadings", "--output", "NAME", "--associated", path], call);
  return devices.trim() !== "";
}

/** e2fsck(8): errors were corrected. */
const corrected = 1;

/**
 * Brings an ext4 that was not unmounted into order: its journal first. An xfs does that when it is mounted.
 * @throws DATA_LOSS for what needs somebody to decide.
 */
export async function checkImage(path: string, type: ImageFileSystem, call: Call): Promise<void> {
  if (type === "xfs") return;
  try {
    await runHelper("e2fsck", ["-p", path], { ...call, accepts: [corrected] });
  } catch (error) {
    call.signal?.throwIfAborted();
    const { message } = error as Error;
    throw new CleatError("DATA_LOSS", `${message}; e2fsck -f "${path}" may mend it`, { cause: error });
  }
}

/**
 * Mounts it by a loop device that goes when the mount does, or the program that makes it: nothing is left after a crash
 * (`LO_FLAGS_AUTOCLEAR`, loop(4); mount(8), "THE LOOP DEVICE"). A copy of an xfs is mounted beside it by `nouuid`.
 */
export async function mountImage(
  path: string,
  type: ImageFileSystem,
  target: string,
  options: readonly string[],
  call: Call,
): Promise<void> {
  const own = ["loop", "discard", ...(type === "xfs" ? ["nouuid"] : []), ...options];
  await runHelper("mount", ["--internal-only", "--no-mtab", "-t", type, "-o", own.join(","), "--", path, target], call);
}

/** Lets one that is not mounted take all of its file, if it does not yet; an xfs grows only while it is mounted. */
export async function growUnmounted(path: string, type: ImageFileSystem, call: Call): Promise<void> {
  if (type === "xfs") return;
  try {
    await runHelper("resize2fs", [path], call);
  } catch (error) {
    if (!/e2fsck -f/.test((error as Error).message)) throw error;
    await runHelper("e2fsck", ["-f", "-p", path], { ...call, accepts: [corrected] });
    await runHelper("resize2fs", [path], call);
  }
}

/** Lets a mounted one take all of its file. */
export async function growMounted(target: string, type: ImageFileSystem, call: Call): Promise<void> {
  const mounted = readMounts().find(({ mountPoint }) => mountPoint === target);
  if (mounted === undefined) throw new CleatError("FAILED_PRECONDITION", `nothing is mounted at "${target}"`);
  const device = `/dev/${basename(await readlink(`/sys/dev/block/${mounted.device}`))}`;
  await runHelper("losetup", ["--set-capacity", device], call);
  await (type === "xfs" ? runHelper("xfs_growfs", ["-d", target], call) : runHelper("resize2fs", [device], call));
}

/** CAP_SYS_RESOURCE, capabilities(7). */
const resourceBit = 24n;

/**
 * @throws FAILED_PRECONDITION where this process may not. Source: Linux v6.1 `fs/ext4/resize.c` `ext4_resize_begin`.
 */
export async function assertGrowsMounted(type: ImageFileSystem): Promise<void> {
  if (type === "xfs") return;
  const [, effective = "0"] = /^CapEff:\s*([\da-f]+)$/m.exec(await readFile("/proc/self/status", "utf8")) ?? [];
  if ((BigInt(`0x${effective}`) >> resourceBit) & 1n) return;
  const message = "an ext4 grows while it is mounted only by who has CAP_SYS_RESOURCE; unmount it first";
  throw new CleatError("FAILED_PRECONDITION", message);
}
