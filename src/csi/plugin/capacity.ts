import { CleatError } from "../../errors/index.ts";

export interface CapacityRange {
  readonly required_bytes: bigint;
  readonly limit_bytes: bigint;
}

/**
 * How large a volume is to be: what is required, else the limit; `undefined` where nothing is said.
 * @throws INVALID_ARGUMENT for a size below zero. @throws OUT_OF_RANGE when more is required than the limit allows.
 */
export function bytesOf(range: CapacityRange | undefined): bigint | undefined {
  const { required_bytes: required = 0n, limit_bytes: limit = 0n } = range ?? {};
  if (required < 0n || limit < 0n) throw new CleatError("INVALID_ARGUMENT", "capacity range is below zero");
  if (limit > 0n && required > limit) {
    throw new CleatError("OUT_OF_RANGE", `capacity range requires ${required} bytes and allows ${limit}`);
  }
  return required > 0n ? required : limit > 0n ? limit : undefined;
}
