import koffi from "koffi";
import { bindSystemCall, check } from "./libc.ts";

const mmapCall = bindSystemCall("mmap", "void *", "long", "int", "int", "int", "long");
const munmapCall = bindSystemCall("munmap", "long", "long");

/** Source: `asm-generic/mman-common.h`, `linux/mman.h` v6.1. */
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;

/**
 * Maps the first `sizeBytes` of an open file into memory, shared with all who map or read it, for as long as `visit`
 * runs; the bytes are gone after it, and whoever touches them then ends the process, as whoever touches them beyond the
 * file's end does. Writing needs a descriptor that reads and writes.
 */
export function withMapping<T>(
  descriptor: number,
  sizeBytes: number,
  access: "read" | "read-write",
  visit: (bytes: Uint8Array) => T,
): T {
  const protection = access === "read" ? PROT_READ : PROT_READ | PROT_WRITE;
  const address = check(mmapCall(null, sizeBytes, protection, MAP_SHARED, descriptor, 0), "mmap");
  try {
    return visit(new Uint8Array(koffi.view(BigInt(address), sizeBytes)));
  } finally {
    check(munmapCall(address, sizeBytes), "munmap");
  }
}
