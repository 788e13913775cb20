import { statfsSync } from "node:fs";
import { isSystemError } from "../../errors/index.ts";
import type { Logger } from "../../transport/index.ts";
import type { GraphDriverMethods } from "../driver.ts";

/**
 * Removes a layer, even with children: a child that a crashed engine left behind, and does not know of, must not keep
 * its image from being removed. Ends when the layer is gone for everybody; its files are deleted behind, unless the
 * disk of `home` has little room left: what is done next may need theirs. What cannot be deleted is told to the logger,
 * and left for the next opening.
 */
export function removeBehind(
  driver: Pick<GraphDriverMethods, "remove">,
  id: string,
  home: string,
  logger: Logger,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let isGone = false;
    const onGone = (): void => {
      isGone = true;
      resolve();
    };
    const options = { evenWithChildren: true, onGone: hasAmpleRoom(home) ? onGone : undefined };
    driver.remove(id, options).then(resolve, (error: unknown) => {
      if (isGone) logger.warn({ err: error, layer: id }, "a layer that was removed cannot be deleted");
      else reject(error as Error);
    });
  });
}

/** A tenth of the disk, as df shows it. */
const ampleShare = 0.1;

function hasAmpleRoom(home: string): boolean {
  try {
    const { bavail, blocks, files, ffree } = statfsSync(home);
    return bavail >= ampleShare * blocks && ffree >= ampleShare * files; // btrfs has no inodes to count
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false; // the driver keeps its layers elsewhere
  }
}
