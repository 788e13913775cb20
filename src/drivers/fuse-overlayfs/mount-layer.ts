/**
 * Mounting and unmounting by programs, each with a deadline. The functions run on workers and wait on their event
 * loops.
 *
 * The program that serves a mount outlives this process and may die before it: then all in the mount is ENOTCONN, and
 * nothing but a new mount helps. Nobody can tell a program that hangs from one that is slow but by waiting, so whoever
 * asks is a process that can be left behind.
 */
import { mkdirSync, rmdirSync, statfsSync } from "node:fs";
import { CleatError, isSystemError, toCleatError, withSubject } from "../../errors/index.ts";
import { joinFailures } from "../../errors/kit.ts";
import { withFolderAt } from "../../layer/index.ts";
import { chownat, isThere } from "../../syscall/index.ts";
import { lowerFolders, readLayer } from "../overlay/layout/layout.ts";
import { findMountedLayers } from "./layout.ts";
import { runProgram } from "./program.ts";

export interface MountLayerOptions {
  readonly mountLabel: string;
  readonly rootUid: number;
  readonly rootGid: number;
  /** The path of fuse-overlayfs. */
  readonly program: string;
  /**
   * Whether devices in layers may be opened, as on any other file system of root; not to be had in a user namespace.
   */
  readonly devices: boolean;
}

/** A mount takes some milliseconds, and the more the deeper the disk's queue. */
const mountDeadlineMs = 30_000;
/** Whatever a container wrote and the kernel has not handed on yet is written before this is done. */
const unmountDeadlineMs = 60_000;
const answerDeadlineMs = 5_000;

/**
 * Mounts a layer at `<id>/merged`, or finds it mounted there by a program that is alive, and returns where it can be
 * seen; a layer without a parent is its diff folder. Read-only once it has a child.
 * @throws DEADLINE_EXCEEDED when the program hangs, FAILED_PRECONDITION when a layer below is gone.
 */
export async function mountLayer(home: string, id: string, options: MountLayerOptions): Promise<string> {
  const layer = readLayer(home, id);
  const { lowers } = layer;
  if (lowers.length === 0) return `${home}/${id}/diff`;
  const merged = `${home}/${id}/merged`;
  if (findMountedLayers(home).includes(id)) {
    if (!(await isDead(merged, id))) return merged;
    await unmountLayer(home, id);
  }
  lowerFolders(home, layer); // which says so where one is gone
  mkdirSync(merged, { recursive: true, mode: 0o700 });
  try {
    const { rootUid, rootGid } = options;
    if (rootUid !== 0 || rootGid !== 0)
      withFolderAt(home, (folder) => chownat(folder, `${id}/merged`, rootUid, rootGid));
    await startProgram(home, `${id}/merged`, formatOptions(home, id, lowers, options), options.program);
  } catch (error) {
    const unmounted = unmountLayer(home, id).then(
      () => error,
      (left: unknown) => joinFailures(error, left, "it could not be unmounted"),
    );
    throw withSubject(toCleatError(await unmounted), `layer "${id}" cannot be mounted`);
  }
  return merged;
}

/** Runs fuse-overlayfs until it has mounted and gone to the background; paths are relative to `home`, and so short. */
export async function startProgram(home: string, target: string, options: string, program: string): Promise<void> {
  const { exitCode, said } = await runProgram(program, ["-o", options, target], {
    cwd: home,
    deadlineMs: mountDeadlineMs,
  });
  if (exitCode === 0) return;
  throw new CleatError("FAILED_PRECONDITION", `program "${program}" refused: ${said.replace(noise, "")}`);
}

/** fuse-overlayfs 1.10 hands itself an option that the libfuse of Debian 12 does not know. */
const noise = /^unknown argument ignored: lazytime; /;

function formatOptions(home: string, id: string, lowers: readonly string[], options: MountLayerOptions): string {
  const isReadOnly = isThere(`${home}/${id}/committed`);
  const data = isReadOnly
    ? ["ro", `lowerdir=${[`${id}/diff`, ...lowers].join(":")}`]
    : [`lowerdir=${lowers.join(":")}`, `upperdir=${id}/diff`, `workdir=${id}/work`];
  if (options.devices) data.unshift("dev");
  if (options.mountLabel !== "") data.push(`context=${escapeLabel(options.mountLabel)}`);
  return data.join(",");
}

/**
 * The categories of a label have commas between them. Version 1.10 of the program takes a label, as Docker's driver
 * gives it one, and tells nobody. Source: libfuse 3.14 `lib/fuse_opt.c`, `process_real_option_group`; fuse-overlayfs
 * 1.10 `main.c`, `context`.
 */
function escapeLabel(label: string): string {
  if (!/["\\\0]/.test(label)) return label.replaceAll(",", "\\,");
  throw new CleatError("INVALID_ARGUMENT", `mount label ${JSON.stringify(label)} holds a quote, a backslash or a NUL`);
}

/**
 * Whether the program behind a mount has died. Attributes come out of the kernel's memory, also those of the dead; for
 * statfs(2) the program is always asked.
 */
async function isDead(merged: string, id: string): Promise<boolean> {
  try {
    const { exitCode } = await runProgram("stat", ["-f", "--", merged], { deadlineMs: answerDeadlineMs });
    return exitCode !== 0 && failsAtOnce(merged);
  } catch (error) {
    throw withSubject(error, `layer "${id}" is mounted by a program that does not answer`);
  }
}

/** A mount that has just refused somebody hangs nobody. */
function failsAtOnce(merged: string): boolean {
  try {
    statfsSync(merged);
    return false;
  } catch (error) {
    if (isSystemError(error, "ENOTCONN", "ECONNABORTED")) return true;
    throw error;
  }
}

/**
 * Unmounts a layer, at once for new users and for good when the last open file in it is closed, and removes the mount
 * point, which makes the kernel let go of copies of the mount in other namespaces. Not mounted is success.
 * @throws DEADLINE_EXCEEDED when a program that hangs holds what was written; the layer is not mounted any more, all
 * the same.
 */
export async function unmountLayer(home: string, id: string): Promise<void> {
  const merged = `${home}/${id}/merged`;
  for (const mounted of findMountedLayers(home)) {
    if (mounted === id) await unmountAt(merged, `layer "${id}"`);
  }
  try {
    rmdirSync(merged);
  } catch (error) {
    // Busy: mounted in a namespace that keeps it. The next mount uses the folder as it is.
    if (!isSystemError(error, "ENOENT", "EBUSY")) throw error;
  }
}

/** `fusermount3`, because it belongs to FUSE as `umount` does not, and never looks into what it unmounts. */
export async function unmountAt(mountPoint: string, subject: string): Promise<void> {
  const { exitCode, said } = await runProgram("fusermount3", ["-u", "-z", "--", mountPoint], {
    deadlineMs: unmountDeadlineMs,
  }).catch((error) => {
    throw withSubject(error, `${subject} cannot be unmounted`);
  });
  if (exitCode === 0) return;
  throw new CleatError("FAILED_PRECONDITION", `${subject} cannot be unmounted: ${said}`);
}
