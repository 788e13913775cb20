import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CleatError, toCleatError } from "../../errors/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import {
  MNT_DETACH,
  mount as mountAt,
  MS_BIND,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  umount2,
} from "../../syscall/index.ts";
import type { Mount } from "../snapshotter.ts";

/**
 * Opens what mounts show, read only, for as long as `visit` runs. They lie in a folder that only root may enter, and
 * not even there once they are open: the kernel takes them away with the descriptor, however the process ends. Blocks;
 * runs on a worker.
 * @throws UNIMPLEMENTED for mounts of a kind that is not known here, or that the kernel refuses.
 */
export function withMounts<T>(mounts: readonly Mount[], visit: (folder: number) => T): T {
  const target = mkdtempSync(join(tmpdir(), "cleat-diff-"));
  let mounted = 0;
  const unmount = (): void => {
    for (; mounted > 0; mounted--) umount2(target, MNT_DETACH);
    rmdirSync(target);
  };
  try {
    for (const mount of mounts) {
      mountReadOnly(mount, target);
      mounted++;
    }
  } catch (error) {
    unmount();
    throw notMounted(error);
  }
  let isUnmounted = false;
  try {
    return withFolderAt(target, (folder) => {
      unmount();
      isUnmounted = true;
      return visit(folder);
    });
  } finally {
    if (!isUnmounted) unmount();
  }
}

function notMounted(error: unknown): CleatError {
  if (error instanceof CleatError && error.code === "UNIMPLEMENTED") return error;
  return new CleatError("UNIMPLEMENTED", `mounts cannot be made: ${toCleatError(error).message}`, { cause: error });
}

/** File systems of which only files come to light, and whose mounting needs no helper program. */
const knownTypes = new Set(["bind", "overlay", "btrfs"]);

function mountReadOnly(mount: Mount, target: string): void {
  const { type, source } = mount;
  if (!knownTypes.has(type) || (mount.target ?? "") !== "") {
    throw new CleatError("UNIMPLEMENTED", `mount of type ${JSON.stringify(type)} is not known to Cleat's differ`);
  }
  const { flags, data } = parseOptions(type === "overlay" ? withoutUpper(mount.options) : mount.options);
  if (type !== "bind") return mountAt(source, target, type, flags | MS_RDONLY, data);
  mountAt(source, target, "bind", MS_BIND | MS_REC, "");
  // A bind mount takes its flags only once it is there.
  try {
    mountAt("none", target, "none", MS_BIND | MS_REMOUNT | MS_RDONLY | flags, "");
  } catch (error) {
    umount2(target, MNT_DETACH);
    throw error;
  }
}

/**
 * An upper folder belongs to one mount at a time; read only, it is one layer more. Source: containerd v1.7
 * `mount/temp.go`.
 */
function withoutUpper(options: readonly string[]): readonly string[] {
  const valueOf = (key: string) => options.find((option) => option.startsWith(`${key}=`))?.slice(key.length + 1);
  const upper = valueOf("upperdir");
  if (upper === undefined) return options;
  const lowers = [upper, valueOf("lowerdir")].filter((value) => value !== undefined);
  const others = options.filter((option) => !/^(?:upperdir|workdir|lowerdir)=|^(?:volatile|index=on)$/.test(option));
  return [...others, `lowerdir=${lowers.join(":")}`];
}

/** Source: containerd v1.6.20 `mount/mount_linux.go`, parseMountOptions. */
const flagsOfOptions: Readonly<Record<string, number>> = {
  bind: 0,
  rbind: 0,
  ro: MS_RDONLY,
  rw: 0,
  nosuid: MS_NOSUID,
  nodev: MS_NODEV,
  noexec: MS_NOEXEC,
  noatime: MS_NOATIME,
  nodiratime: MS_NODIRATIME,
};

function parseOptions(options: readonly string[]): { readonly flags: number; readonly data: string } {
  let flags = 0;
  const data: string[] = [];
  for (const option of options) {
    if (Object.hasOwn(flagsOfOptions, option)) flags |= flagsOfOptions[option] as number;
    else data.push(option);
  }
  return { flags, data: data.join(",") };
}
