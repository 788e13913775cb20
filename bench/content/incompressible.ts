import { createCipheriv } from "node:crypto";

/** Bytes that no file system can squeeze, the same in every run. */
export function incompressibleBytes(sizeBytes: number): Buffer {
  return createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}
