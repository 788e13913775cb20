/**
 * Where a union mount may differ from a flat folder: all of it, and why. A driver whose layers are whole folders may
 * not.
 * Source: `overlayfs.rst` v6.1, "Non-standard behavior" and "renaming directories".
 */
export interface Difference {
  readonly answer: string;
  readonly reason: string;
  /** Nothing was done. */
  readonly isRefusal: boolean;
}

export const folderStaysInImage: Difference = {
  answer: "EXDEV",
  reason: "a folder of the image cannot be renamed without redirect_dir, which diffs cannot follow; mv(1) copies then",
  isRefusal: true,
};

export const readersKeepTheImage: Difference = {
  answer: "reads lower, then lower",
  reason: "what was opened for reading before the file was first written goes on reading the image's",
  isRefusal: false,
};
