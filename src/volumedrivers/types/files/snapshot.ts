/**
 * How a snapshot is mounted: so that nobody writes to it. A mount that is read-only is not enough, as engines mount
 * it once more for a container, with flags of their own choice: under Podman 4.3 containers wrote to it. So it is an
 * overlay without an upper folder, to which the kernel writes for nobody.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeFolders } from "../../../files/index.ts";
import type { ManagedVolume, VolumeCall } from "../../managed/volume-backend.ts";
import { mountFileSystem } from "../../mounting/mount-file-system.ts";
import { noteUnmarked, type TreeJobOptions } from "../../trees/tree-jobs.ts";

/** Of `files` that are copied, and stay as they are. */
export async function prepareSnapshot(folder: string, files: string, options: TreeJobOptions): Promise<void> {
  await noteUnmarked(files, noteIn(folder), options);
}

/**
 * Where an overlay would show other files than there are (the data root of an engine in a container), or cannot be, it
 * is bound read-only all the same, which holds where an engine adds no flags.
 */
export async function mountSnapshot(
  { name, folder, target }: Pick<ManagedVolume, "name" | "folder" | "target">,
  files: string,
  { signal, logger }: VolumeCall,
): Promise<void> {
  const empty = join(folder, "empty");
  try {
    if (existsSync(noteIn(folder)) && !/[:,\\]/.test(folder)) {
      await makeFolders(empty);
      // Before Linux 6.8 an overlay without an upper folder has two lower ones at the least.
      const options = ["ro", "userxattr", `lowerdir=${files}:${empty}`];
      return await mountFileSystem({ type: "overlay", source: "overlay", target, options, signal });
    }
  } catch (error) {
    signal.throwIfAborted();
    logger.debug({ err: error, volume: name }, "snapshot cannot be the lower folder of an overlay");
  }
  logger.warn(
    { volume: name },
    "snapshot is read-only only where an engine leaves the mount as it is: Docker does, Podman not",
  );
  await mountFileSystem({ type: "none", source: files, target, options: ["bind", "ro"], signal });
}

function noteIn(folder: string): string {
  return join(folder, "unmarked");
}
