import { CleatError, toCleatError } from "../../errors/index.ts";
import { type Volume, volumeNamePattern } from "../../volume/index.ts";
import type { CsiContext } from "./context.ts";
import { isSnapshotId } from "./volume-id.ts";

/** @throws INVALID_ARGUMENT when a required text is missing. */
export function assertGiven(value: string, field: string): void {
  if (value === "") throw new CleatError("INVALID_ARGUMENT", `request has no ${field}`);
}

/** @throws INVALID_ARGUMENT for no id. @throws NOT_FOUND when there is no such volume, or it is a snapshot. */
export async function findVolume(id: string, { driver }: CsiContext, signal: AbortSignal): Promise<Volume> {
  assertGiven(id, "volume_id");
  if (!volumeNamePattern.test(id)) throw new CleatError("NOT_FOUND", "no volume has such an id");
  if (isSnapshotId(id)) throw new CleatError("NOT_FOUND", `"${id}" is a snapshot, and no volume`);
  return driver.get(id, { signal });
}

/** What has that name, if anything has. */
export async function lookUp(id: string, { driver }: CsiContext, signal: AbortSignal): Promise<Volume | undefined> {
  try {
    return await driver.get(id, { signal });
  } catch (error) {
    if (toCleatError(error).code === "NOT_FOUND") return undefined;
    throw error;
  }
}

/** Whether `create` finds it as it is: one that is half removed it makes anew. */
export const isWhole = ({ name }: Volume, { driver }: CsiContext): boolean => driver.isWhole?.(name) ?? true;

/** What `create` throws: to orchestrators UNIMPLEMENTED is the whole method, and not what this volume was to be. */
export function orInvalid(error: unknown): never {
  const { code, message } = toCleatError(error);
  throw code === "UNIMPLEMENTED" ? new CleatError("INVALID_ARGUMENT", message, { cause: error }) : error;
}

/** Removes a volume or snapshot, unless it is gone. */
export async function removeVolume(id: string, { driver }: CsiContext, signal: AbortSignal): Promise<void> {
  if (volumeNamePattern.test(id)) await unlessGone(driver.remove(id, { signal }), `cannot remove volume "${id}"`);
}

/** Gives a volume back, unless it is gone. */
export async function giveBack(id: string, target: string, { driver }: CsiContext, signal: AbortSignal): Promise<void> {
  if (!volumeNamePattern.test(id)) return;
  await unlessGone(driver.unmount(id, target, { signal }), `cannot give back volume "${id}"`);
}

async function unlessGone(step: Promise<void>, subject: string): Promise<void> {
  try {
    await step;
  } catch (error) {
    const failure = toCleatError(error, subject);
    if (failure.code !== "NOT_FOUND") throw failure;
  }
}
