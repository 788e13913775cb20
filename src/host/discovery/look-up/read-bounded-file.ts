import { constants, type Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { CleatError } from "../../../errors/index.ts";

/** Opening a FIFO would wait for a writer, and a terminal could become this process's own. Source: open(2). */
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * Reads a regular file, of whoever's making: no FIFO makes it wait, none is too long for the memory. `subject` begins
 * the message of a `CleatError`.
 * @throws INVALID_ARGUMENT when it is not a regular file, or longer than `maxBytes`.
 * @throws a system error when it cannot be opened or read.
 */
export async function readBoundedFile(path: string, maxBytes: number, subject: string): Promise<Buffer> {
  assertRegular(await stat(path), subject); // opening a device may do something, and wakes whoever writes to a FIFO
  await using file = await open(path, flags);
  assertRegular(await file.stat(), subject);
  const buffer = Buffer.allocUnsafe(maxBytes + 1);
  let length = 0;
  while (length <= maxBytes) {
    const { bytesRead } = await file.read(buffer, length, buffer.byteLength - length);
    if (bytesRead === 0) return Buffer.from(buffer.subarray(0, length));
    length += bytesRead;
  }
  throw new CleatError("INVALID_ARGUMENT", `${subject} is longer than ${maxBytes} bytes`);
}

function assertRegular(stats: Stats, subject: string): void {
  if (!stats.isFile()) throw new CleatError("INVALID_ARGUMENT", `${subject} is not a regular file`);
}
