import { isDiskFull, toCleatError } from "../../errors/index.ts";
import type { JournalFile } from "./journal-files.ts";

/** Room on the disk that a journal has before it needs it, so that on a full disk it takes what makes room there. */
export interface Room {
  /**
   * Has the file, which is to be `lengthBytes` long, take room behind that.
   * @throws RESOURCE_EXHAUSTED on a full disk, for all but what makes room.
   */
  setAside(file: JournalFile, lengthBytes: number, makesRoom: boolean): Promise<void>;
  /** Whether it has room already for being `lengthBytes` long, as far as there ever is. */
  has(lengthBytes: number): boolean;
  /** The file has been cut, or is another one. */
  isGone(): void;
}

/** What is kept free behind the end of the file for changes that make room: thousands of removals. */
const reserveBytes = 256 * 1024;
/** And for all changes, so that there is one call for a few hundred. */
const aheadBytes = 64 * 1024;

export function createRoom(subject: string): Room {
  /** Up to here the file has room of its own; `undefined` where the file system does not do that. */
  let allocatedBytes: number | undefined = 0;
  const has = (lengthBytes: number) => allocatedBytes === undefined || lengthBytes + reserveBytes <= allocatedBytes;
  return {
    has,
    async setAside(file, lengthBytes, makesRoom) {
      if (has(lengthBytes)) return;
      const needed = lengthBytes + reserveBytes;
      for (const wanted of [needed + aheadBytes, needed]) {
        try {
          await file.allocate(wanted);
          allocatedBytes = wanted;
          return;
        } catch (error) {
          if (!isDiskFull(error)) return void (allocatedBytes = undefined);
          if (wanted === needed && !makesRoom) throw toCleatError(error, subject);
        }
      }
    },
    isGone() {
      allocatedBytes &&= 0;
    },
  };
}
