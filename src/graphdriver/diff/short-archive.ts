import { Readable } from "node:stream";
import type { WholeContent } from "../../protocol/kit.ts";

/** An archive that is there already, as a driver answers it. */
export function streamArchive(archive: Uint8Array): Readable & WholeContent {
  const stream = new Readable({
    read() {
      this.push(archive);
      this.push(null);
    },
  });
  return Object.assign(stream, { whole: archive });
}
