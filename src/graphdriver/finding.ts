/**
 * What can be wrong with a store, as one closed table: what it means, and what `repair` makes of it. Nothing that holds
 * content is deleted but by consent.
 */
export const storeFindingKinds = {
  "half-made-layer": { meaning: "a layer without its files, and empty", repair: "removed" },
  "diff-missing": {
    meaning: "a layer whose diff is gone, or is not a folder",
    repair: "left alone while layers lie on it",
  },
  "link-file-missing": {
    meaning: "a layer with content that does not say its link",
    repair: "given its link, or a new one",
  },
  "lower-missing": { meaning: "a layer that had a parent and does not say which", repair: "left alone" },
  "lower-damaged": { meaning: "a layer whose list of layers below is malformed", repair: "left alone" },
  "lower-dangling": { meaning: "a layer below which layers are missing", repair: "left alone; see orphaned" },
  "work-missing": { meaning: "a layer without overlay's work folder", repair: "made anew" },
  "link-missing": { meaning: "a link of a layer that is not in l/", repair: "made anew" },
  "link-dangling": { meaning: "a link to a layer that is not there", repair: "removed" },
  "link-wrong": { meaning: "a link that does not lead to the layer that has it", repair: "made anew, or removed" },
  "link-unused": { meaning: "a second link to a layer, which nothing names", repair: "removed" },
  "link-shared": { meaning: "two layers that say they have the same link", repair: "one is given a new link" },
  "merged-left": { meaning: "a mount point of a layer that is not mounted", repair: "removed when empty" },
  "stale-mount": { meaning: "a mount of what is not a layer any more", repair: "unmounted, unless it is in use" },
  "staged-left": { meaning: "something half-made that a crash left", repair: "deleted" },
  "trash-left": { meaning: "something removed that was not deleted yet", repair: "deleted" },
  "filling-left": {
    meaning: "a layer whose diff was being applied when the process died",
    repair: "made anew from its parent",
  },
  "mark-left": { meaning: "a note on a layer that is not there", repair: "removed" },
  "counts-wrong": { meaning: "mount counts of layers that are not there or not mounted", repair: "corrected" },
  "record-damaged": { meaning: "a record that cannot be read", repair: "removed where nothing depends on it" },
  "record-other-version": { meaning: "a record of a version that this Cleat does not know", repair: "left alone" },
  "not-a-subvolume": { meaning: "a folder where a subvolume should be", repair: "removed when empty" },
  "quota-left": { meaning: "a size limit of a layer that is not there", repair: "removed" },
  "quota-damaged": { meaning: "a size limit that is not a number", repair: "left alone" },
  "own-folder-wrong": { meaning: "a folder of the store that is something else", repair: "left alone, with all else" },
  stray: { meaning: "something that is not a layer, and not the driver's", repair: "left alone" },
  unreadable: {
    meaning: "a layer or record that cannot be read now, and may be whole",
    repair: "left alone, with others",
  },
  "snapshots-unusable": {
    meaning: "records of a snapshotter with which its layers cannot be served: damaged, older than these, or gone",
    repair: "left alone",
  },
  misfit: { meaning: "a layer whose files contradict others, and may be another's", repair: "left alone" },
  orphaned: { meaning: "a layer that lost its parent, or that the engine does not know", repair: "removed by consent" },
} as const satisfies Record<string, { meaning: string; repair: string }>;

export type StoreFindingKind = keyof typeof storeFindingKinds;

export interface StoreFinding {
  readonly kind: StoreFindingKind;
  /** What is wrong, relative to the home; bytes that are not UTF-8 are escaped. */
  readonly path: string;
  /** The layer that it belongs to, if any. */
  readonly layer: string | undefined;
  /** One sentence, which begins with the subject and quotes values. */
  readonly problem: string;
  /** Why `repair` leaves it alone; `undefined` for what it mends. */
  readonly obstacle: string | undefined;
}

/** A finding, and how to mend it; what has an obstacle has no way. Mending may fail, and may find it mended. */
export interface Damage {
  readonly finding: StoreFinding;
  readonly mend: (() => void) | undefined;
}

type Subject = Pick<StoreFinding, "kind" | "path" | "problem"> & { readonly layer?: string };

export function mendable(subject: Subject, mend: () => void): Damage {
  return { finding: { layer: undefined, ...subject, obstacle: undefined }, mend };
}

export function unmendable(subject: Subject, obstacle: string): Damage {
  return { finding: { layer: undefined, ...subject, obstacle }, mend: undefined };
}
