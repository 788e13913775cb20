/**
 * Text of strangers as one line that a terminal shows and does not obey: control characters, line breaks and marks that
 * turn the direction of writing are escaped; what is over `maxCharacters` is cut off.
 */
export function printable(text: string, maxCharacters = 200): string {
  const characters = Array.from(text.slice(0, 2 * maxCharacters + 2)); // by code points
  const isLong = characters.length > maxCharacters;
  const shown = characters.slice(0, isLong ? maxCharacters - 1 : maxCharacters).join("");
  return `${shown.replace(unsafe, escape)}${isLong ? "…" : ""}`;
}

/** JSON that a terminal does not obey either. `indent` breaks it into lines. */
export function printableJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, undefined, indent).replace(unsafe, escapeInJson);
}

/** A word for a shell to read as it is. */
export function shellWord(text: string): string {
  return /^[\w./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Controls, formats, line and paragraph separators, halves of surrogate pairs. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

function escape(character: string): string {
  if (character === "\n") return String.raw`\n`;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

function escapeInJson(character: string): string {
  if (character === "\n") return character; // the indentation's: JSON escapes its own
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
