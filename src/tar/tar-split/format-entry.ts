import { isUtf8 } from "node:buffer";
import { entryType, type TarSplitEntry } from "./entry.ts";

/** One line, with its break, in the spelling and the order of Go's encoder. */
export function formatTarSplitEntry(entry: TarSplitEntry, position: number): string {
  if (entry.kind === "segment") {
    return `{"type":${entryType.segment},"payload":"${toBase64(entry.bytes)}","position":${position}}\n`;
  }
  const { name, sizeBytes, crc } = entry;
  const size = sizeBytes === 0 ? "" : `"size":${sizeBytes},`;
  const payload = crc === undefined ? "null" : `"${toBase64(crc)}"`;
  return `{"type":${entryType.file},${formatName(name)}${size}"payload":${payload},"position":${position}}\n`;
}

/** What is not UTF-8 would not survive a JSON string; an empty name is left out. */
function formatName(name: Buffer): string {
  if (name.length === 0) return "";
  return isUtf8(name) ? `"name":${quoteAsGo(name.toString())},` : `"name_raw":"${toBase64(name)}",`;
}

/**
 * Go escapes what would be markup in a page of HTML. Source: Go 1.19 `encoding/json`, `Encoder.SetEscapeHTML`; `\b` and
 * `\f` are spelled as from Go 1.22 on.
 */
function quoteAsGo(text: string): string {
  const quoted = JSON.stringify(text);
  return markup.test(quoted) ? quoted.replaceAll(allMarkup, escapeUnit) : quoted;
}

const markup = /[<>&\u2028\u2029]/;
const allMarkup = /[<>&\u2028\u2029]/g;

function escapeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function toBase64({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString("base64");
}
