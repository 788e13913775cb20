/** Messages that every API shares. Source: `google/protobuf/{timestamp,any,empty,field_mask}.proto`, protobuf v25. */
import { bytes, int32, int64, repeatedStrings, string } from "./fields.ts";
import { message } from "./message.ts";

export const empty = message("google.protobuf.Empty", {});

export const any = message("google.protobuf.Any", { type_url: string(1), value: bytes(2) });

export const fieldMask = message("google.protobuf.FieldMask", { paths: repeatedStrings(1) });

export const timestamp = message("google.protobuf.Timestamp", { seconds: int64(1), nanos: int32(2) });

const nanosecondsPerSecond = 1_000_000_000n;

/** Nanoseconds since 1970 as a timestamp, whose `nanos` count forward also before 1970. */
export function toTimestamp(ns: bigint): { seconds: bigint; nanos: number } {
  const nanos = ((ns % nanosecondsPerSecond) + nanosecondsPerSecond) % nanosecondsPerSecond;
  return { seconds: (ns - nanos) / nanosecondsPerSecond, nanos: Number(nanos) };
}

/** Nanoseconds since 1970; 0 for a timestamp that is missing. */
export function fromTimestamp(stamp: { readonly seconds: bigint; readonly nanos: number } | undefined): bigint {
  return stamp === undefined ? 0n : stamp.seconds * nanosecondsPerSecond + BigInt(stamp.nanos);
}
