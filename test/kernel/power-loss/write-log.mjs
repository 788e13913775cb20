/** Source of the format: Linux v6.1 `drivers/md/dm-log-writes.c`; QEMU 7.2 `block/blklogwrites.c` writes the same. */
import { closeSync, openSync, readSync } from "node:fs";

import { sectorBytes } from "./recorded-disk.mjs";

const flushFlag = 1n;
const fuaFlag = 2n;
const discardFlag = 4n;

/**
 * What happened to the disk, in order: `{ write: bytes, at }`, `{ flush: true }`, `{ mark: value }`. Ends at the last
 * mark: what comes behind is the unmounting.
 */
export function readLog({ log, markAt }) {
  const file = openSync(log);
  const read = (bytes, at) => {
    const buffer = Buffer.alloc(bytes);
    readSync(file, buffer, 0, bytes, at);
    return buffer;
  };
  const count = Number(read(sectorBytes, 0).readBigUInt64LE(16));
  const events = [];
  let at = sectorBytes;
  for (let entry = 0; entry < count; entry++) {
    const header = read(32, at);
    const [sector, sectors, flags] = [0, 8, 16].map((field) => header.readBigUInt64LE(field));
    at += sectorBytes;
    const bytes = flags & discardFlag ? 0 : Number(sectors) * sectorBytes;
    if (flags & flushFlag) events.push({ flush: true });
    if (bytes > 0) {
      const write = read(bytes, at);
      const place = Number(sector) * sectorBytes;
      events.push(place === markAt ? { mark: JSON.parse(write.toString()) } : { write, at: place });
      if (flags & fuaFlag) events.push({ flush: true });
    }
    at += bytes;
  }
  closeSync(file);
  return events.slice(0, events.findLastIndex(({ mark }) => mark !== undefined) + 1);
}
