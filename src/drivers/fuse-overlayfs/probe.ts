import { mkdirSync } from "node:fs";
import { isDiskFull, isSystemError, toCleatError, UnsupportedError } from "../../errors/index.ts";
import { type OverlayPrefix, removeTree, withFolderAt } from "../../layer/index.ts";
import { fileSystemName, fsetxattr, isInUserNamespace, mknodat, S_IFCHR } from "../../syscall/index.ts";
import { readDriverRecord, stagingPath, uniqueName } from "../../graphdriver/job-kit.ts";
import { ownAttributePrefix } from "../overlay/layout/own-attributes.ts";
import { isPassingFailure } from "../overlay/mounts/passing-failure.ts";
import { startProgram, unmountAt } from "./mount-layer.ts";
import { findFuseOverlayfs, missingPrerequisite } from "./prerequisites.ts";
import { runProgram } from "./program.ts";

/** What program, kernel and file system under a home can do. */
export interface FuseOverlayfsAbilities {
  /** The program's path. */
  readonly program: string;
  /** "1.10" */
  readonly version: string;
  readonly backingFileSystem: string;
  /** Whether devices in layers may be opened through a mount; in a user namespace the kernel does not allow it. */
  readonly devices: boolean;
  /** In a user namespace the program keeps its books, and finds ours, in `user.` attributes. */
  readonly attributePrefix: OverlayPrefix;
}

const programName = "fuse-overlayfs";

/**
 * Finds out whether fuse-overlayfs works in a home by mounting with it there. Runs on a worker.
 * @throws UNIMPLEMENTED when this is not root, the program is not installed, `/dev/fuse` is not there or not ours to
 * open, the file system keeps no whiteouts, or a mount fails; the message says which.
 */
export async function probeFuseOverlayfs(home: string): Promise<FuseOverlayfsAbilities> {
  const missing = missingPrerequisite();
  if (missing !== undefined) throw new UnsupportedError(programName, missing);
  const program = findFuseOverlayfs() ?? programName;
  const version = await versionOf(program);
  const userNamespace = isInUserNamespace();
  const attributePrefix = ownAttributePrefix();
  const staged = stagingPath(uniqueName());
  const test = `${home}/${staged}`;
  const backingFileSystem = withFolderAt(home, fileSystemName);
  const abilities = { program, version, backingFileSystem, devices: !userNamespace, attributePrefix } as const;
  try {
    for (const folder of ["", "/lower1", "/lower2", "/upper", "/work", "/merged"])
      mkdirSync(`${test}${folder}`, { mode: 0o700 });
    keepDeletions(`${test}/upper`, attributePrefix, backingFileSystem);
    await tryMount(test, abilities);
    return abilities;
  } catch (error) {
    // A store in which it worked before is not kept shut, for then nothing could be removed from it.
    if (!isDiskFull(error) || readDriverRecord(home) === undefined) throw error;
    return abilities;
  } finally {
    withFolderAt(home, (folder) => removeTree(folder, staged));
  }
}

async function versionOf(program: string): Promise<string> {
  const { exitCode, stdout, said } = await runProgram(program, ["--version"], { deadlineMs: 10_000 });
  const version = /^fuse-overlayfs: version (\S+)/m.exec(stdout)?.[1];
  if (exitCode === 0 && version !== undefined) return version;
  throw unsupported(`the program fuse-overlayfs`, `${program} --version`, said);
}

/**
 * An overlay of the kernel, above all, takes no whiteouts from others. Source: Linux v6.1 `fs/overlayfs/dir.c`
 * `ovl_mknod`.
 */
function keepDeletions(folder: string, prefix: OverlayPrefix, fileSystem: string): void {
  try {
    withFolderAt(folder, (descriptor) => {
      fsetxattr(descriptor, `${prefix}overlay.opaque`, Buffer.from("n"));
      mknodat(descriptor, Buffer.from("whiteout"), S_IFCHR, 0, 0);
    });
  } catch (error) {
    if (!isSystemError(error, "ENOTSUP", "EPERM")) throw error;
    throw unsupported(
      "a file system that keeps overlay's whiteouts and attributes",
      `setxattr(2) and mknod(2) on ${fileSystem}`,
      error.message,
      error,
    );
  }
}

async function tryMount(test: string, abilities: FuseOverlayfsAbilities): Promise<void> {
  const { program, version, backingFileSystem, devices } = abilities;
  const options = `${devices ? "dev," : ""}lowerdir=lower2:lower1,upperdir=upper,workdir=work`;
  try {
    await startProgram(test, "merged", options, program);
  } catch (error) {
    if (isPassingFailure(error)) throw error;
    const what = `version ${version} on ${backingFileSystem}`;
    throw unsupported("a mount by fuse-overlayfs", what, toCleatError(error).message, error);
  }
  await unmountAt(`${test}/merged`, "mount that was tried");
}

function unsupported(needed: string, probed: string, seen: string, cause?: unknown): UnsupportedError {
  return new UnsupportedError(programName, { needed, probed, seen }, cause === undefined ? {} : { cause });
}
