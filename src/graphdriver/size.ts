import { CleatError } from "../errors/index.ts";

const unitBytes: Readonly<Record<string, number>> = {
  "": 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
};

/**
 * Bytes of a size as users of Docker write it: `512m`, `10G`, `1.5 GiB`, `4096`; units are powers of 1024. `subject`
 * begins the message of an error. Source: docker/go-units v0.4.0 `RAMInBytes`.
 * @throws INVALID_ARGUMENT when it is not of that form, is 0, or is more than a number holds exactly.
 */
export function parseSize(text: string, subject: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text) ?? [];
  const sizeBytes = Math.trunc(Number(digits) * (unitBytes[unit?.toLowerCase() ?? ""] ?? Number.NaN));
  if (sizeBytes > 0 && Number.isSafeInteger(sizeBytes)) return sizeBytes;
  throw new CleatError("INVALID_ARGUMENT", `${subject}: ${JSON.stringify(text)} is not a size, like 10G or 512m`);
}
