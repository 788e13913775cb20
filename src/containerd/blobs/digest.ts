import { createHash } from "node:crypto";
import { CleatError } from "../../errors/index.ts";

/** What identifies a blob: "sha256:" and 64 digits. Source: OCI image-spec v1.0 `descriptor.md`, "Digests". */
const digestPattern = /^sha256:([0-9a-f]{64})$/;

/** The hexadecimal half. @throws INVALID_ARGUMENT for what is no SHA-256 digest: it may become part of a path. */
export function hexOfDigest(digest: string): string {
  const hex = digestPattern.exec(digest)?.[1];
  if (hex !== undefined) return hex;
  throw new CleatError("INVALID_ARGUMENT", `digest ${JSON.stringify(digest.slice(0, 200))} is not one of SHA-256`);
}

/** Counts and hashes what passes by. */
export interface Digester {
  update(bytes: Uint8Array): void;
  /** To be asked once, at the end. */
  digest(): string;
  sizeBytes(): number;
}

export function createDigester(): Digester {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  return {
    update(bytes) {
      hash.update(bytes);
      sizeBytes += bytes.length;
    },
    digest: () => `sha256:${hash.digest("hex")}`,
    sizeBytes: () => sizeBytes,
  };
}
