import { readMounts } from "../../syscall/index.ts";
import { CleatError, toCleatError } from "../../errors/index.ts";
import { type HelperOptions, runHelper } from "./run-helper.ts";

export interface MountRequest extends Pick<HelperOptions, "signal" | "env"> {
  /** "tmpfs", "nfs4", "ext4"; "none" with the option `bind`. */
  readonly type: string;
  readonly source: string;
  readonly target: string;
  /** One each, without commas. Everybody can read them: a secret goes through `env`. */
  readonly options?: readonly string[];
}

/**
 * Mounts a file system by the program mount(8), which knows the helpers of those that need one, in a process that can be
 * killed.
 * @throws INVALID_ARGUMENT for an option with a comma; otherwise what mount(8) says.
 */
export async function mountFileSystem(request: MountRequest): Promise<void> {
  const { type, source, target, options = [], ...helper } = request;
  for (const option of options) {
    if (!option.includes(",")) continue;
    const [name] = option.split("=");
    throw new CleatError("INVALID_ARGUMENT", `option "${name}" of a mount holds a comma, which would begin another`);
  }
  const words = options.length > 0 ? ["-o", options.join(",")] : [];
  await runHelper("mount", ["-t", type, ...words, "--", source, target], helper);
}

/**
 * Unmounts what is mounted at `target`, all of it; where nothing is, that is well.
 * @throws FAILED_PRECONDITION while it is busy.
 */
export async function unmountFileSystem(target: string, { signal }: Pick<HelperOptions, "signal"> = {}): Promise<void> {
  while (isMountPoint(target)) {
    try {
      await runHelper("umount", ["--no-canonicalize", "--", target], { signal });
    } catch (error) {
      if (!isMountPoint(target)) return; // somebody else has done it
      const { message } = toCleatError(error);
      if (/busy/.test(message)) throw new CleatError("FAILED_PRECONDITION", message, { cause: error });
      throw error;
    }
  }
}

/** As the kernel's table says, without touching what is mounted. The path has no symlinks in it. */
export function isMountPoint(path: string): boolean {
  return readMounts().some(({ mountPoint }) => mountPoint === path);
}

/** Whether something is mounted at a folder or below. */
export function hasMounts(folder: string): boolean {
  return readMounts().some(({ mountPoint }) => mountPoint === folder || mountPoint.startsWith(`${folder}/`));
}
