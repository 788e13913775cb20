import type { JournalFiles } from "./journal-files.ts";

/** A disk that keeps waiting who appends. */
export interface HeldDisk {
  readonly files: JournalFiles;
  /** From now on, until `goOn`. */
  hold(): void;
  goOn(): void;
}

export function createHeldDisk(disk: JournalFiles): HeldDisk {
  let held: Promise<void> | undefined;
  let goOn = () => {};
  const files: JournalFiles = {
    ...disk,
    async open(name, lengthBytes) {
      const file = await disk.open(name, lengthBytes);
      const appendDurably = async (bytes: Uint8Array) => {
        await held;
        await file.appendDurably(bytes);
      };
      return { ...file, appendDurably };
    },
  };
  return {
    files,
    hold: () => void (held = new Promise((resolve) => (goOn = resolve))),
    goOn: () => goOn(),
  };
}
