import { inspect } from "node:util";

/** Text of strangers, as messages show it: quoted, control characters escaped, cut where it is long. */
export function quoteText(text: string, maxCharacters = 80): string {
  if (text.length <= maxCharacters) return JSON.stringify(text);
  return `${JSON.stringify(text.slice(0, maxCharacters))}… (${text.length} characters)`;
}

/** Bytes of strangers, as UTF-8, in the same way: a hostile name may have a megabyte. */
export function quoteBytes(bytes: Uint8Array, maxBytes = 256): string {
  const shown = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, maxBytes)).toString();
  return `${JSON.stringify(shown)}${bytes.length > maxBytes ? `… (${bytes.length} bytes)` : ""}`;
}

/**
 * A value of whatever kind, as messages show what should have been another: on one line, and not all of a large one.
 */
export function quoteValue(value: unknown): string {
  return inspect(value, { depth: 0, maxStringLength: 60, maxArrayLength: 3, breakLength: Number.POSITIVE_INFINITY });
}

/** As JSON does where it does. */
function escapeCharacter(character: string): string {
  const escaped = JSON.stringify(character).slice(1, -1);
  return escaped === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}` : escaped;
}

/**
 * Text in which words of strangers may stand unquoted, on one line: line breaks and other control characters escaped.
 */
export function onOneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, escapeCharacter);
}
