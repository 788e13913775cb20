import { fstatSync, writeSync } from "node:fs";
import { Writable } from "node:stream";

type Output = Writable & { readonly isTTY?: boolean };

/**
 * What a command writes to, for `process.stdout` or `process.stderr`. Node's own stream for files takes a write of
 * which the kernel took a part, as a disk does that becomes full, for a whole one. A write that fails is told by
 * "error", and the next is tried all the same: the disk may have room again. Source: Node v20.20
 * `lib/internal/fs/sync_write_stream.js`.
 */
export function openStandardOutput(stream: Output & { readonly fd: number }): Output {
  const { fd } = stream;
  const status = fstatSync(fd);
  if (stream.isTTY === true || status.isFIFO() || status.isSocket()) return stream;
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      let failure: unknown;
      try {
        for (let at = 0; at < chunk.byteLength;) at += writeSync(fd, chunk, at);
      } catch (error) {
        failure = error;
      }
      done();
      if (failure !== undefined) this.emit("error", failure);
    },
  });
}
