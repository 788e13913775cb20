import { CleatError, toCleatError } from "../../errors/index.ts";
import { bytesOf, type CapacityRange } from "./capacity.ts";
import type { CsiContext } from "./context.ts";
import { findVolume } from "./find-volume.ts";
import { sizeOf } from "./shown-options.ts";

/** Whether volumes can be given another size; of a driver that has several kinds some may refuse it. */
export const expands = ({ driver, sizeOption: option }: CsiContext): boolean =>
  driver.resize !== undefined && option !== undefined;

/**
 * Gives a volume at least the size that is required, also while it is published, and resolves to the one that it has
 * then. None becomes smaller: orchestrators repeat what they have asked for, and may do so late. For whoever has
 * the volume's turn.
 *
 * Source: container-storage-interface/spec v1.9.0 `spec.md`, ControllerExpandVolume and NodeExpandVolume.
 * @throws INVALID_ARGUMENT where no size is asked for, or the volume cannot be given another; OUT_OF_RANGE when it is
 *   larger than the limit allows; NOT_FOUND.
 */
export async function expandVolume(
  id: string,
  range: CapacityRange | undefined,
  context: CsiContext,
  signal: AbortSignal,
): Promise<bigint> {
  const { driver } = context;
  const bytes = bytesOf(range);
  const volume = await findVolume(id, context, signal);
  if (bytes === undefined) throw new CleatError("INVALID_ARGUMENT", "request has no capacity range");
  const has = sizeOf(volume, context);
  if (has !== undefined && has >= bytes) return assertWithin(has, range);
  if (driver.resize === undefined) throw unable(id);
  try {
    await driver.resize(id, Number(bytes), { signal });
  } catch (error) {
    // Of no use to be asked for again; a method that is not there at all is another thing.
    throw toCleatError(error).code === "UNIMPLEMENTED" ? unable(id, error) : error;
  }
  return bytes;
}

function assertWithin(bytes: bigint, range: CapacityRange | undefined): bigint {
  const limit = range?.limit_bytes ?? 0n;
  if (limit === 0n || bytes <= limit) return bytes;
  throw new CleatError("OUT_OF_RANGE", `volume has ${bytes} bytes, and capacity range allows ${limit}`);
}

function unable(id: string, cause?: unknown): CleatError {
  return new CleatError("INVALID_ARGUMENT", `volume "${id}" cannot be given another size`, { cause });
}
