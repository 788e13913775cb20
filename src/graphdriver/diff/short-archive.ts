import { Readable } from "node:stream";

/** An archive that is there already, as a driver answers it. */
export function streamArchive(archive: Uint8Array): Readable {
  return new Readable({
    read() {
      this.push(archive);
      this.push(null);
    },
  });
}
