import type { GraphDriverFactory } from "../graphdriver/index.ts";
import type { Logger } from "../transport/index.ts";
import { createAutomaticDriver, tryBestUnder } from "./choose-driver.ts";
import { type Surroundings, UsageError } from "./command.ts";

/** A driver to serve, and what a user is told about it. */
export interface DriverChoice {
  readonly factory: GraphDriverFactory;
  /** "overlay2"; with `auto` what works under the folder that was tried. */
  readonly driverName: string;
  /** Why it is not a better one, and what it costs. */
  readonly note: string | undefined;
}

const cost = "vfs copies every layer in full (reflinks where the file system has them)";

/**
 * The driver that `--driver` names. `auto` is decided anew for each home; `folder` is where it is tried now, to tell
 * the user.
 */
export async function selectDriver(
  name: string,
  folder: string,
  { uid }: Surroundings,
  logger: Logger,
): Promise<DriverChoice> {
  const { btrfs, overlay2, vfs } = await import("../graphdriver/index.ts");
  const named = [overlay2, btrfs, vfs].find((factory) => factory.name === name);
  if (named !== undefined) return { factory: named, driverName: named.name, note: named === vfs ? cost : undefined };
  if (name !== "auto") throw new UsageError(`there is no driver "${name}"; there are overlay2, btrfs, vfs and auto`);
  if (uid !== 0) return { factory: vfs, driverName: vfs.name, note: `overlay2 needs root; ${cost}` };
  const factory = createAutomaticDriver({ best: overlay2, everywhere: vfs }, logger);
  const obstacle = await tryBestUnder(folder, overlay2);
  if (obstacle === undefined) return { factory, driverName: overlay2.name, note: undefined };
  return { factory, driverName: vfs.name, note: `${obstacle}; ${cost}` };
}
