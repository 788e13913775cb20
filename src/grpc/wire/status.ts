import { type ErrorCode, errorCodes } from "../../errors/index.ts";

/**
 * How a call ended, in its trailers. Source: gRPC `doc/PROTOCOL-HTTP2.md`, "Responses"; the message is UTF-8 in which
 * every byte outside of space to "~", and "%", is written as %XX.
 */
export interface GrpcStatus {
  /** `undefined` for success. */
  readonly code: ErrorCode | undefined;
  readonly message: string;
}

/** Node's HTTP/2 takes 64 KiB of headers together; a longer message would break the call off without a status. */
const maxMessageBytes = 8 * 1024;

export function encodeStatus(code: ErrorCode, message: string): Record<string, string> {
  return { "grpc-status": String(errorCodes[code].grpcStatus), "grpc-message": encodeMessage(message) };
}

export const okStatus = { "grpc-status": "0" } as const;

/** `undefined` where there is no status, or one that is no number. A number that has no meaning yet is UNKNOWN. */
export function decodeStatus(headers: Readonly<Record<string, unknown>>): GrpcStatus | undefined {
  const { "grpc-status": status, "grpc-message": text } = headers;
  if (typeof status !== "string" || !/^\d{1,9}$/.test(status)) return undefined;
  const message = typeof text === "string" ? decodeMessage(text) : "";
  if (Number(status) === 0) return { code: undefined, message };
  return { code: codeByStatus.get(Number(status)) ?? "UNKNOWN", message };
}

const codeByStatus = new Map(
  Object.entries(errorCodes).map(([code, { grpcStatus }]) => [grpcStatus as number, code as ErrorCode]),
);

function encodeMessage(message: string): string {
  const bytes = Buffer.from(message);
  const kept = bytes.length <= maxMessageBytes ? bytes : bytes.subarray(0, startOfCharacter(bytes, maxMessageBytes));
  let encoded = "";
  for (const byte of kept) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== percent;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return kept === bytes ? encoded : `${encoded}...`;
}

const percent = 0x25;

/** Where the character that `at` lies in begins. */
function startOfCharacter(bytes: Uint8Array, at: number): number {
  let start = at;
  while (start > 0 && ((bytes[start] as number) & 0xc0) === 0x80) start--;
  return start;
}

/** What is not encoded properly stays as it is: a message is there to be read, whatever its author did. */
function decodeMessage(text: string): string {
  const decoded = text.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) =>
    Buffer.from(escapes.replaceAll("%", ""), "hex").toString(),
  );
  return decoded;
}
