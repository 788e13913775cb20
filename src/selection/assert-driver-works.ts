import { CleatError } from "../errors/index.ts";
import type { GraphDriverFactory, OpenOptions } from "../graphdriver/index.ts";
import { assertUse, readDriverRecord } from "../graphdriver/kit.ts";
import { decideDriver } from "./decision.ts";
import { createDriverRegistry } from "./registry.ts";

/**
 * Refuses a home in which a driver cannot work, or that another one's layers are in, as far as reading and the driver's
 * probe tell: before anything is made there. Costs what a probe does.
 * @throws UNIMPLEMENTED when kernel or file system lack what the driver needs.
 * @throws FAILED_PRECONDITION when a part of the path is not a folder, or the home is another driver's or another
 * door's; PERMISSION_DENIED when it may not be read.
 */
export async function assertDriverWorks(
  factory: GraphDriverFactory,
  home: string,
  { door }: Pick<OpenOptions, "door"> = {},
): Promise<void> {
  const { name } = factory;
  const { candidates } = await decideDriver({ home }, createDriverRegistry([factory]));
  const obstacle = candidates.find(({ driver }) => driver === name)?.obstacle;
  if (obstacle !== undefined) {
    const message = `${name} does not work in "${home}": ${obstacle.message}`;
    throw new CleatError(obstacle.code, message, { cause: obstacle });
  }
  const squash = process.geteuid?.() !== 0;
  assertUse(home, { driver: name, attributes: readDriverRecord(home)?.attributes, squash, door });
}
