import { randomUUID } from "node:crypto";
import { CleatError, toCleatError } from "../../errors/index.ts";
import { releaseAfter } from "../../errors/kit.ts";
import type { VolumeDriver } from "../../volume/index.ts";

/**
 * Reads a volume's files, and holds it meanwhile so that nobody removes it: under a name of its own, since of two
 * readers with one name the first to end would give it back for both. What a reader that is killed leaves counts as a
 * mount until the machine starts anew.
 * @throws ABORTED when the volume went away nevertheless, or another has its name: what was read may be half of it.
 */
export async function holdVolume(
  name: string,
  driver: VolumeDriver,
  read: (path: string) => Promise<void>,
): Promise<void> {
  const holder = `cleat-backup-${process.pid}-${randomUUID()}`;
  const path = await driver.mount(name, holder);
  const readUnchanged = async () => {
    const before = await createdAt(name, driver);
    await read(path);
    const after = await createdAt(name, driver);
    if (after !== before) throw new CleatError("ABORTED", `volume "${name}" was removed while it was read`);
  };
  await releaseAfter(readUnchanged, () => driver.unmount(name, holder).catch(unlessGone));
}

/** In milliseconds; 0 where the driver does not tell, -1 where there is no such volume. */
async function createdAt(name: string, driver: VolumeDriver): Promise<number> {
  try {
    return (await driver.get(name)).createdAt?.getTime() ?? 0;
  } catch (error) {
    unlessGone(error);
    return -1;
  }
}

function unlessGone(error: unknown): void {
  if (toCleatError(error).code !== "NOT_FOUND") throw error;
}
