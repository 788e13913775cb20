import type { FileStatus } from "../../syscall/index.ts";

/**
 * A change as a walk meets it that goes down into each folder before its next sibling: "a", "a/c", "a.b". Folders in
 * which something changed are met only if they changed themselves.
 */
export type LayerChange = ChangedFile | { readonly path: string; readonly kind: "deleted" };

/** What the newer tree has; `folder`, which holds it as `base`, stays open until the next change is asked for. */
export interface ChangedFile {
  readonly path: string;
  /** "same" for a file that has further names, of which another may be changed: all are one file in an archive. */
  readonly kind: "modified" | "added" | "same";
  readonly folder: number;
  readonly base: Buffer;
  readonly status: FileStatus;
}

/** Whether a file that did not change is to be met all the same. */
export function hasFurtherNames({ links }: FileStatus, isFolder: boolean): boolean {
  return !isFolder && links > 1;
}
