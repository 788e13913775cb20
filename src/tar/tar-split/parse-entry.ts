import { isUtf8 } from "node:buffer";
import { CleatError, quoteBytes } from "../../errors/index.ts";
import { noBytes } from "../block/block.ts";
import { entryType, type TarSplitEntry } from "./entry.ts";

const crcBytes = 8;

/**
 * Reads line `position`, counted from 0.
 * @throws DATA_LOSS when it is not an entry of a known type, or not the one that belongs there. Go passes over unknown
 * types and takes positions as they come, and so puts an archive together in which bytes are missing.
 */
export function parseTarSplitEntry(line: Buffer, position: number): TarSplitEntry {
  const fields = parseObject(line, position);
  if (fields["position"] !== position)
    throw toDamagedError(position, `says that its position is ${show(fields["position"])}`);
  // Go leaves other fields out where they are empty, and never this one.
  if (fields["payload"] === undefined) throw toDamagedError(position, "has no payload");
  const payload = parseBase64(fields["payload"], "payload", position);
  switch (fields["type"]) {
    case entryType.segment:
      return { kind: "segment", bytes: payload };
    case entryType.file:
      return parseFile(fields, payload, position);
    default:
      throw toDamagedError(position, `has the type ${show(fields["type"])} instead of 1 or 2`);
  }
}

function parseFile(fields: Fields, payload: Buffer, position: number): TarSplitEntry {
  const { name = "", size: sizeBytes = 0 } = fields;
  if (typeof name !== "string") throw toDamagedError(position, `has a name that is not text: ${show(name)}`);
  const raw = parseBase64(fields["name_raw"], "name_raw", position);
  if (typeof sizeBytes !== "number" || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    throw toDamagedError(position, `has a size that is none: ${show(sizeBytes)}`);
  }
  const expectedBytes = sizeBytes > 0 ? crcBytes : 0;
  if (payload.length !== expectedBytes) {
    throw toDamagedError(position, `has a checksum of ${payload.length} bytes instead of ${expectedBytes}`);
  }
  const crc = payload.length === 0 ? undefined : payload;
  return { kind: "file", name: raw.length > 0 ? raw : Buffer.from(name), sizeBytes, crc };
}

type Fields = Readonly<Record<string, unknown>>;

function parseObject(line: Buffer, position: number): Fields {
  let value: unknown;
  try {
    value = isUtf8(line) ? JSON.parse(line.toString()) : undefined;
  } catch (error) {
    throw toDamagedError(position, `is not JSON: ${quoteBytes(line)}`, error);
  }
  if (typeof value === "object" && value !== null) return value as Fields;
  throw toDamagedError(position, `is not a JSON object: ${quoteBytes(line)}`);
}

const foreign = /[^A-Za-z0-9+/=]/;

/** Node would skip what is not base64. Go writes `null` for bytes that are not there. */
function parseBase64(value: unknown, field: string, position: number): Buffer {
  if (value === undefined || value === null) return noBytes;
  if (typeof value === "string" && value.length % 4 === 0 && !foreign.test(value)) {
    const padding = value.endsWith("==") ? 2 : value.endsWith("=") ? 1 : 0;
    const bytes = Buffer.from(value, "base64");
    if (bytes.length === (value.length / 4) * 3 - padding) return bytes;
  }
  throw toDamagedError(position, `has a ${field} that is not base64: ${show(value)}`);
}

const maxShownCharacters = 256;

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > maxShownCharacters ? `${text.slice(0, maxShownCharacters)}…` : text;
}

/** Data that no packer writes, or that changed since. */
export function toDamagedError(position: number, message: string, cause?: unknown): CleatError {
  return new CleatError("DATA_LOSS", `tar-split entry ${position} ${message}`, { cause });
}
