/**
 * Entries as the engine writes them into the pipe: four bytes of length, big endian, and a protobuf message.
 *
 * Source: moby v20.10.24 `api/types/plugins/logdriver/{entry.proto,io.go}`, the same in v28.5.2.
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { LogEntry, PartialLine } from "./driver.ts";

export const lengthBytes = 4;

/** Field numbers of `LogEntry` and of `PartialLogEntryMetadata` in it. */
const fields = { source: 1, timeNano: 2, line: 3, partial: 4, partialLogMetadata: 5 } as const;
const partialFields = { last: 1, id: 2, ordinal: 3 } as const;

/** A message without its length. @throws Error when the bytes are no entry. */
export function decodeEntry(bytes: Uint8Array): LogEntry {
  const reader = new BinaryReader(bytes);
  let source = "";
  let timeNs = 0n;
  let line: Uint8Array = noBytes;
  let isPartial = false;
  let partial: PartialLine | undefined;
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === fields.source && wireType === WireType.LengthDelimited) source = reader.string();
    else if (number === fields.timeNano && wireType === WireType.Varint) timeNs = BigInt(reader.int64());
    else if (number === fields.line && wireType === WireType.LengthDelimited) line = Buffer.from(reader.bytes());
    else if (number === fields.partial && wireType === WireType.Varint) isPartial = reader.bool();
    else if (number === fields.partialLogMetadata && wireType === WireType.LengthDelimited) {
      partial = decodePartial(reader.bytes());
    } else reader.skip(wireType, number);
  }
  if (reader.pos > reader.len) throw new RangeError("a field is longer than its message");
  if (isPartial) partial ??= { id: "", ordinal: 0, last: false }; // engines before 19.03 tell no more
  return partial === undefined ? { source, timeNs, line } : { source, timeNs, line, partial };
}

const noBytes = Buffer.alloc(0);

function decodePartial(bytes: Uint8Array): PartialLine {
  const reader = new BinaryReader(bytes);
  let id = "";
  let ordinal = 0;
  let last = false;
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === partialFields.last && wireType === WireType.Varint) last = reader.bool();
    else if (number === partialFields.id && wireType === WireType.LengthDelimited) id = reader.string();
    else if (number === partialFields.ordinal && wireType === WireType.Varint) ordinal = reader.int32();
    else reader.skip(wireType, number);
  }
  return { id, ordinal, last };
}

/** A message after its length. */
export function encodeFrame({ source, timeNs, line, partial }: LogEntry): Buffer {
  const writer = new BinaryWriter();
  if (source !== "") writer.tag(fields.source, WireType.LengthDelimited).string(source);
  if (timeNs !== 0n) writer.tag(fields.timeNano, WireType.Varint).int64(timeNs);
  if (line.byteLength > 0) writer.tag(fields.line, WireType.LengthDelimited).bytes(line);
  if (partial !== undefined) {
    writer.tag(fields.partial, WireType.Varint).bool(true);
    writer.tag(fields.partialLogMetadata, WireType.LengthDelimited).fork();
    if (partial.last) writer.tag(partialFields.last, WireType.Varint).bool(true);
    if (partial.id !== "") writer.tag(partialFields.id, WireType.LengthDelimited).string(partial.id);
    if (partial.ordinal !== 0) writer.tag(partialFields.ordinal, WireType.Varint).int32(partial.ordinal);
    writer.join();
  }
  const message = writer.finish();
  const frame = Buffer.allocUnsafe(lengthBytes + message.byteLength);
  frame.writeUInt32BE(message.byteLength);
  frame.set(message, lengthBytes);
  return frame;
}
