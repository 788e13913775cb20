import { mkdirSync, readFileSync } from "node:fs";
import { isSystemError, type SystemError } from "../../errors/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import { changeDirectory, detachMounts, MNT_DETACH, mount, umount2 } from "../../syscall/index.ts";

/** Mounts an overlay with these options over folders of its own in memory, and takes it away again. */
export type TryOverlay = (options: readonly string[], where?: { readonly overFolder: boolean }) => OverlayTrial;

export interface OverlayTrial {
  /** Why the kernel refused. */
  readonly error?: SystemError;
  /** The options in effect that are not the kernel's default, as `/proc/self/mountinfo` shows them; a refused one is not. */
  readonly shown: readonly string[];
}

/** Hidden, from the calling thread alone, by the memory in which it works: a folder that every machine has and no store lies on. */
const hidden = "/dev";

/**
 * Lets `use` mount overlays that only the calling thread sees, and that are gone with it: nothing is written to a disk. The
 * thread is of no other use afterwards.
 * @throws SystemError EPERM where this process may not mount.
 */
export function withPrivateOverlays<T>(folder: string, use: (tryOverlay: TryOverlay) => T): T {
  detachMounts();
  return withFolderAt(folder, (below) => {
    mount("tmpfs", hidden, "tmpfs", 0, "mode=0700");
    return withFolderAt(hidden, (memory) => {
      changeDirectory(memory);
      let trials = 0;
      return use((options, where) => {
        const trial = `${hidden}/${++trials}`;
        for (const name of ["", "/lower", "/upper", "/work", "/merged"]) mkdirSync(`${trial}${name}`);
        const lower = `${trials}/lower${where?.overFolder === true ? `:/proc/self/fd/${below}` : ""}`;
        const data = [`lowerdir=${lower}`, `upperdir=${trials}/upper`, `workdir=${trials}/work`, ...options];
        return mountOnce(`${trial}/merged`, data.join(","));
      });
    });
  });
}

function mountOnce(target: string, data: string): OverlayTrial {
  try {
    mount("overlay", target, "overlay", 0, data);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { error, shown: [] };
  }
  const shown = shownOptions(target);
  umount2(target, MNT_DETACH);
  return { shown };
}

function shownOptions(target: string): string[] {
  const lines = readFileSync("/proc/thread-self/mountinfo", "utf8").split("\n");
  const line = lines.find((text) => text.split(" ")[4] === target);
  return line?.split(" ").at(-1)?.split(",") ?? [];
}
