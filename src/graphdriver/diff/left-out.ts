import type { Logger } from "../../transport/index.ts";

/** Extended attributes of a diff that the file system cannot hold, and that its layer is without. */
export interface LeftOut {
  readonly count: number;
  /** Each once, at most `maxNames`. */
  readonly names: readonly string[];
}

const maxNames = 20;
/** Linux has none that are longer; an archive may. Source: `XATTR_NAME_MAX`, `linux/limits.h` v6.1. */
const maxNameBytes = 255;

/** Counts what is left out of one layer, however much that is. */
export function createLeftOut(): { readonly add: (name: string) => void; readonly all: () => LeftOut } {
  const names = new Set<string>();
  let count = 0;
  return {
    add(name) {
      count += 1;
      if (names.size < maxNames) names.add(Buffer.from(name.slice(0, maxNameBytes), "latin1").toString());
    },
    all: () => ({ count, names: [...names] }),
  };
}

/** What a diff that was applied came to. */
export interface AppliedDiff {
  /** Bytes of content. */
  readonly sizeBytes: number;
  readonly leftOut: LeftOut;
}

/** Says in one warning what layer `id` is without; the size of the diff. */
export async function reportApplied(logger: Logger, id: string, applied: Promise<AppliedDiff>): Promise<number> {
  const { sizeBytes, leftOut } = await applied;
  const { count, names } = leftOut;
  if (count > 0) {
    const attributes = count === 1 ? "1 extended attribute was" : `${count} extended attributes were`;
    logger.warn({ layer: id, count, names }, `${attributes} left out of the layer: the file system cannot hold them`);
  }
  return sizeBytes;
}
