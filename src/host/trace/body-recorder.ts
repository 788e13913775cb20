import { createHash, type Hash } from "node:crypto";
import type { RecordedBody } from "./exchange.ts";

export interface BodyRecorder {
  add(bytes: Uint8Array): void;
  /** What was added so far. */
  body(): RecordedBody;
}

/**
 * Keeps the first `maxRecordedBytes` of a body and counts the rest; of one that is longer the SHA-256 of all of it. A
 * character that the cap cuts in two is left out.
 */
export function createBodyRecorder(maxRecordedBytes: number): BodyRecorder {
  const kept: Buffer[] = [];
  let keptBytes = 0;
  let sizeBytes = 0;
  let hash: Hash | undefined;

  return {
    add(bytes) {
      const fitting = bytes.subarray(0, maxRecordedBytes - keptBytes);
      if (fitting.byteLength > 0) kept.push(Buffer.from(fitting));
      keptBytes += fitting.byteLength;
      sizeBytes += bytes.byteLength;
      if (sizeBytes === keptBytes) return;
      if (hash === undefined) {
        hash = createHash("sha256");
        for (const chunk of kept) hash.update(chunk);
        hash.update(bytes.subarray(fitting.byteLength));
      } else hash.update(bytes);
    },
    body: () => ({
      sizeBytes,
      ...(hash !== undefined && { sha256: hash.copy().digest("hex") }),
      ...toText(Buffer.concat(kept), hash !== undefined),
    }),
  };
}

function toText(bytes: Buffer, isCut: boolean): { text: string } | { base64: string } {
  const base64 = { base64: bytes.toString("base64") };
  if (bytes.includes(0)) return base64; // an archive: its zeros would be escaped one by one
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return { text: decoder.decode(bytes, { stream: isCut }) };
  } catch {
    return base64; // not UTF-8
  }
}
