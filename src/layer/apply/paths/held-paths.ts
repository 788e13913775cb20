import { CleatError } from "../../../errors/index.ts";

/**
 * What is kept of an archive until it has been unpacked: paths, above all, which are as long as an archive likes. All
 * that one archive has kept is counted together, in bytes; an archive of which more has to be kept is refused, before a
 * thread runs out of memory.
 */
export interface HeldPaths {
  /** Counts `path`, and what is kept beside it. @throws INVALID_ARGUMENT when that is too much. */
  hold(path: string, besideBytes?: number): void;
}

/**
 * Half of what a worker's heap may be (`workers/threads.ts`). A million folders with paths of 100 bytes take 0.4 GiB.
 */
const maxHeldBytes = 512 * 2 ** 20;

/** What V8 takes for a text, and for its place in a set. */
const perPathBytes = 64;

export function createHeldPaths(maxBytes = maxHeldBytes): HeldPaths {
  let heldBytes = 0;
  return {
    hold(path, besideBytes = 0) {
      heldBytes += path.length + perPathBytes + besideBytes;
      if (heldBytes <= maxBytes) return;
      const message = `paths of its folders and files take more than ${maxBytes} bytes of memory together`;
      throw new CleatError("INVALID_ARGUMENT", message);
    },
  };
}
