import { CleatError } from "../../errors/index.ts";

/** An archive that no honest writer makes. `at` is the offset of the header block that the message is about. */
export function malformed(at: number, message: string): CleatError {
  return new CleatError("INVALID_ARGUMENT", `tar header at byte ${at} ${message}`);
}

/** An archive whose bytes stop too early. */
export function truncated(endOffset: number, where: string): CleatError {
  return new CleatError("DATA_LOSS", `archive ends at byte ${endOffset}, ${where}`);
}

const maxQuotedBytes = 256;

/** Archive bytes as text for a message: quoted, escaped, and cut, because a hostile name may have a megabyte. */
export function quote(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, maxQuotedBytes));
  return JSON.stringify(shown.toString()) + (bytes.length > maxQuotedBytes ? "…" : "");
}
