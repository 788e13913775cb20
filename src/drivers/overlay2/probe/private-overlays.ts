import { mkdirSync, readFileSync } from "node:fs";
import { isSystemError, SystemError } from "../../../errors/index.ts";
import {
  changeDirectory,
  cloneMount,
  close,
  detachMounts,
  isInUserNamespace,
  mapIds,
  MNT_DETACH,
  mount,
  moveMount,
  umount2,
  withFolderAt,
} from "../../../syscall/index.ts";

/** Mounts an overlay with these options over folders of its own in memory, and takes it away again. */
export type TryOverlay = (options: readonly string[], where?: WhereToTry) => OverlayTrial;

export interface WhereToTry {
  /** Whether the folder is the lowest layer. */
  readonly overFolder: boolean;
  /** The folder's owners are then those that this user namespace maps them to. */
  readonly userNamespace?: number;
}

export interface OverlayTrial {
  /** Why the kernel refused. */
  readonly error?: SystemError;
  /**
   * The options in effect that are not the kernel's default, as `/proc/self/mountinfo` shows them; a refused one is
   * not.
   */
  readonly shown: readonly string[];
}

/**
 * Hidden, from the calling thread alone, by the memory in which it works: a folder that every machine has and no store
 * lies on.
 */
const hidden = "/dev";

/**
 * Lets `use` mount overlays that only the calling thread sees, and that are gone with it: nothing is written to a disk.
 * The thread is of no other use afterwards.
 * @throws SystemError EPERM where this process may not mount.
 */
export function withPrivateOverlays<T>(folder: string, use: (tryOverlay: TryOverlay) => T): T {
  detachMounts();
  return withFolderAt(folder, (below) => {
    mount("tmpfs", hidden, "tmpfs", 0, "mode=0700");
    return withFolderAt(hidden, (memory) => {
      changeDirectory(memory);
      let trials = 0;
      const inNamespace = isInUserNamespace() ? ["userxattr"] : [];
      return use((options, where = { overFolder: false }) => {
        const trial = `${hidden}/${++trials}`;
        for (const name of ["", "/lower", "/upper", "/work", "/merged"]) mkdirSync(`${trial}${name}`);
        return attempt(() => {
          const lowest = where.overFolder ? [lowestLayer(below, trial, where.userNamespace)] : [];
          const lowers = [`${trial}/lower`, ...lowest].join(":");
          const data = [
            `lowerdir=${lowers}`,
            `upperdir=${trial}/upper`,
            `workdir=${trial}/work`,
            ...inNamespace,
            ...options,
          ];
          return mountOnce(`${trial}/merged`, data.join(","));
        });
      });
    });
  });
}

function attempt(run: () => OverlayTrial): OverlayTrial {
  try {
    return run();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    // The path means nothing to anybody else.
    return { error: new SystemError(-error.errno, error.syscall), shown: [] };
  }
}

/** By its descriptor: no path that a user chose stands in mount options. */
function lowestLayer(below: number, trial: string, userNamespace: number | undefined): string {
  if (userNamespace === undefined) return `/proc/self/fd/${below}`;
  const mapped = `${trial}/mapped`;
  mkdirSync(mapped);
  const clone = cloneMount(below);
  try {
    mapIds(clone, userNamespace);
    moveMount(clone, mapped);
  } finally {
    close(clone);
  }
  return mapped;
}

function mountOnce(target: string, data: string): OverlayTrial {
  mount("overlay", target, "overlay", 0, data);
  const shown = shownOptions(target);
  umount2(target, MNT_DETACH);
  return { shown };
}

function shownOptions(target: string): string[] {
  const lines = readFileSync("/proc/thread-self/mountinfo", "utf8").split("\n");
  const line = lines.find((text) => text.split(" ")[4] === target);
  return line?.split(" ").at(-1)?.split(",") ?? [];
}
