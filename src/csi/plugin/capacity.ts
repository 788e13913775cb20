import { CleatError } from "../../errors/index.ts";
import type { Volume } from "../../volume/index.ts";
import type { CsiContext } from "./context.ts";
import { leastSizeOf, sizeOf } from "./shown-options.ts";

export interface CapacityRange {
  readonly required_bytes: bigint;
  readonly limit_bytes: bigint;
}

/**
 * How large a volume is to be: what is required, else the limit; `undefined` where nothing is said.
 * @throws INVALID_ARGUMENT for a size below zero. @throws OUT_OF_RANGE when more is required than the limit allows, or
 *   than a driver's numbers hold.
 */
export function bytesOf(range: CapacityRange | undefined): bigint | undefined {
  const { required_bytes: required = 0n, limit_bytes: limit = 0n } = range ?? {};
  if (required < 0n || limit < 0n) throw new CleatError("INVALID_ARGUMENT", "capacity range is below zero");
  if (limit > 0n && required > limit) {
    throw new CleatError("OUT_OF_RANGE", `capacity range requires ${required} bytes and allows ${limit}`);
  }
  if (required > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new CleatError("OUT_OF_RANGE", `capacity range requires ${required} bytes, more than any volume has`);
  }
  return required > 0n ? required : limit > 0n ? limit : undefined;
}

/** A volume that is asked for: the one of that name, if any; what it is made from; its options without a size. */
export interface WantedVolume {
  readonly there: Volume | undefined;
  readonly origin: Volume | undefined;
  readonly given: Readonly<Record<string, string>>;
}

/**
 * Which size a volume is given: what one that is there has, if that is in the range; else what is asked for, and at the
 * least what that has which it is made from. `undefined` where none is: a size that the driver cannot hold to is not
 * promised, as an NFS share's is not.
 *
 * Source: container-storage-interface/spec v1.9.0 `spec.md`, CreateVolume.
 * @throws INVALID_ARGUMENT, OUT_OF_RANGE.
 */
export function capacityOf(
  range: CapacityRange | undefined,
  { there, origin, given }: WantedVolume,
  context: CsiContext,
): bigint | undefined {
  const { driver, sizeOption: option } = context;
  const wanted = bytesOf(range);
  if (option === undefined || driver.takesOption?.(option, given) === false) return undefined;
  const limit = range?.limit_bytes ?? 0n;
  const has = there && sizeOf(there, context);
  if (has !== undefined && has >= (range?.required_bytes ?? 0n) && (limit === 0n || has <= limit)) return has;
  const least = (origin && leastSizeOf(origin, context)) ?? 0n;
  const isUnlimited = wanted === undefined && (least === 0n || Object.hasOwn(given, option));
  if (isUnlimited) return undefined;
  if (wanted !== undefined && wanted >= least) return wanted;
  if (limit === 0n || limit >= least) return least;
  throw new CleatError("OUT_OF_RANGE", `capacity range allows ${limit} bytes, and what it is made from has ${least}`);
}
