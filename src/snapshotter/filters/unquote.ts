/**
 * The text that stands between quotes, its escapes resolved; `undefined` where it is malformed. The same quote
 * surrounds it on both sides. Source: containerd v1.6.20 `filters/quote.go`, Go's `strconv.Unquote` with more quotes.
 */
export function unquote(quoted: string): string | undefined {
  const quote = quoted[0];
  if (quoted.length < 2 || quoted.at(-1) !== quote) return undefined;
  const inner = quoted.slice(1, -1);
  const parts: Buffer[] = [];
  const escape = /\\(?:([abfnrtv\\"'|/])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y;
  for (let at = 0; at < inner.length;) {
    const backslash = inner.indexOf("\\", at);
    const end = backslash < 0 ? inner.length : backslash;
    parts.push(Buffer.from(inner.slice(at, end)));
    if (backslash < 0) break;
    escape.lastIndex = backslash;
    const [whole, single, octal, byte, short, long] = escape.exec(inner) ?? [];
    if (whole === undefined) return undefined;
    const resolved = resolve(
      { single, number: octal ?? byte, code: short ?? long, isOctal: octal !== undefined },
      quote,
    );
    if (resolved === undefined) return undefined;
    parts.push(resolved);
    at = backslash + whole.length;
  }
  return Buffer.concat(parts).toString();
}

interface Escape {
  readonly single: string | undefined;
  /** Of one byte. */
  readonly number: string | undefined;
  /** Of one character. */
  readonly code: string | undefined;
  readonly isOctal: boolean;
}

function resolve({ single, number, code, isOctal }: Escape, quote: string | undefined): Buffer | undefined {
  if (single !== undefined) {
    const control = controls[single];
    if (control !== undefined) return Buffer.from([control]);
    return single === "\\" || single === quote ? Buffer.from(single) : undefined;
  }
  if (number !== undefined) {
    const byte = Number.parseInt(number, isOctal ? 8 : 16);
    return byte > 0xff ? undefined : Buffer.from([byte]);
  }
  const point = Number.parseInt(code as string, 16);
  return point > 0x10ffff ? undefined : Buffer.from(String.fromCodePoint(point));
}

const controls: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 };
