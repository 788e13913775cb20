/**
 * JSON as Go's `encoding/json` reads it, because every engine and most plugins are written in Go: an empty body is
 * `{}`, names of fields match whatever their case, unknown fields are ignored, of duplicates the last one wins,
 * `null` leaves a field as if it were absent, bytes are base64.
 *
 * Source: go1.19 `encoding/json/decode.go`.
 */
import { z } from "zod";
import { type ErrorCode, SchemaError } from "../../errors/index.ts";

/**
 * An object whose field names are matched as Go does. What an attacker names `__proto__` reaches no prototype: the
 * object holds the declared fields only, and zod leaves that key out of records.
 */
export function goStruct<const S extends z.core.$ZodShape>(shape: S) {
  const fieldOf = new Map(Object.keys(shape).map((field) => [foldGoName(field), field]));
  return z.codec(z.unknown(), z.object(shape), {
    decode: (value) => foldFields(value, fieldOf) as z.input<z.ZodObject<S>>,
    encode: (value): unknown => value,
  });
}

/**
 * What two names have in common that are one field to Go: "HoſtConfig" and "hostconfig" are.
 *
 * Source: go1.19 `encoding/json/fold.go`; of letters that fold to ASCII, JavaScript lowers "K" (Kelvin), and not "ſ".
 */
export function foldGoName(name: string): string {
  return name.toLowerCase().replaceAll("ſ", "s");
}

function foldFields(value: unknown, fieldOf: ReadonlyMap<string, string>): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const folded: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    const field = fieldOf.get(foldGoName(key));
    if (field !== undefined && member !== null) folded[field] = member;
  }
  return folded;
}

/** Go's `[]byte`: base64 with padding on the wire, a `Buffer` here. */
export const goBytes = z.codec(z.base64(), z.instanceof(Buffer), {
  decode: (text) => Buffer.from(text, "base64"),
  encode: (bytes) => bytes.toString("base64"),
});

/**
 * Reads a message. `code` says whose fault a bad one is; `subject` begins its message.
 * @throws SchemaError when `bytes` are not JSON or not of this schema.
 */
export function decodeGoJson<S extends z.ZodType>(
  schema: S,
  bytes: Uint8Array,
  subject: string,
  code: ErrorCode,
): z.output<S> {
  return decodeValue(schema, parseGoJson(bytes, subject, code), subject, code);
}

/** As `decodeGoJson`, for a value that is parsed already. */
export function decodeValue<S extends z.ZodType>(
  schema: S,
  value: unknown,
  subject: string,
  code: ErrorCode,
): z.output<S> {
  const result = z.safeDecode(schema, value as z.input<S>);
  if (result.success) return result.data;
  throw new SchemaError(code, subject, toIssues(result.error));
}

/** Writes a message. @throws SchemaError (INTERNAL) when `value` is not of the schema. */
export function encodeGoJson<S extends z.ZodType>(schema: S, value: z.output<S>, subject: string): Buffer {
  return Buffer.from(JSON.stringify(encodeValue(schema, value, subject)));
}

/** How much of a list is turned into text at once. */
const pieceLength = 64 * 1024;

/**
 * Writes a message whose one field is a list, in pieces, while the items are made.
 * @throws SchemaError (INTERNAL) when an item is not of the schema.
 */
export function* encodeGoJsonList<S extends z.ZodType>(
  field: string,
  item: S,
  values: Iterable<z.output<S>>,
  subject: string,
): Generator<Buffer> {
  let piece = `{${JSON.stringify(field)}:[`;
  let separator = "";
  for (const value of values) {
    piece += separator + JSON.stringify(encodeValue(item, value, subject));
    separator = ",";
    if (piece.length < pieceLength) continue;
    yield Buffer.from(piece);
    piece = "";
  }
  yield Buffer.from(`${piece}]}`);
}

/** As `encodeGoJson`, without turning it into text. */
export function encodeValue<S extends z.ZodType>(schema: S, value: z.output<S>, subject: string): z.input<S> {
  const result = z.safeEncode(schema, value);
  if (result.success) return result.data;
  throw new SchemaError("INTERNAL", subject, toIssues(result.error));
}

/** One for all: a decoder is an object of the engine's, and the collector pays for each. */
const utf8 = new TextDecoder();

/**
 * The first half of `decodeGoJson`: text to value; nothing and `null` are `{}`.
 * @throws SchemaError when it is not JSON, or nested deeper than any message is.
 */
export function parseGoJson(bytes: Uint8Array, subject: string, code: ErrorCode): unknown {
  const text = utf8.decode(bytes).trim();
  if (text === "") return {};
  if (isNestedDeeper(text, maxDepth)) {
    throw new SchemaError(code, subject, [{ path: "", problem: `nested more than ${maxDepth} deep` }]);
  }
  try {
    const value: unknown = JSON.parse(text);
    return value ?? {};
  } catch (error) {
    const problem = `not JSON (${error instanceof Error ? error.message : String(error)})`;
    throw new SchemaError(code, subject, [{ path: "", problem }], { cause: error });
  }
}

/**
 * Whoever writes a value out, or looks into it, does so level by level, and the stack of a thread is small. Go's own
 * limit is 10,000, the deepest message of any protocol has 5 levels.
 */
const maxDepth = 1_000;

/** By characters: an expression that matches strings runs out of stack where one is some MiB long. */
function isNestedDeeper(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      at = endOfJsonString(text, at);
    } else if (character === "[" || character === "{") {
      if (++depth > limit) return true;
    } else if (character === "]" || character === "}") {
      depth--;
    }
  }
  return false;
}

/** Where the quote is that closes a string of JSON, which `start` opens; the text's end where none does. */
export function endOfJsonString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text[end - 1 - escapes] === "\\") escapes++;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}

function toIssues(error: z.ZodError) {
  return error.issues.map(({ path, message }) => ({ path: path.join("."), problem: message }));
}
