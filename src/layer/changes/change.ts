import { CleatError } from "../../errors/index.ts";
import { type FileStatus, isDirectory } from "../../syscall/index.ts";

/** One difference between a layer and what lies below it; `path` is a byte string without a leading slash. */
export interface TreeChange {
  readonly path: string;
  readonly kind: "modified" | "added" | "deleted";
}

/**
 * Whether `stat` alone tells that a file is changed, given the same name in both trees: by owner, mode, device, and,
 * but for folders, size and time, to the nanosecond. Where it does not, the files are alike and may differ all the same
 * (`alike-files.ts`). Docker takes times of whole seconds for equal to any in that second, waits a second after each
 * diff in return, and believes times that were set.
 *
 * Source: moby v20.10.24 `pkg/archive/changes_unix.go` `statDifferent`; moby#9874 for the folders.
 */
export function statusDiffers(older: FileStatus, newer: FileStatus): boolean {
  return (
    older.mode !== newer.mode ||
    older.uid !== newer.uid ||
    older.gid !== newer.gid ||
    older.deviceMajor !== newer.deviceMajor ||
    older.deviceMinor !== newer.deviceMinor ||
    (!isDirectory(newer) &&
      (older.sizeBytes !== newer.sizeBytes ||
        older.mtimeSeconds !== newer.mtimeSeconds ||
        older.mtimeNanoseconds !== newer.mtimeNanoseconds))
  );
}

/** What a list of changes may take of memory: of each its path, and what it takes to keep it. */
export const maxListBytes = 128 * 2 ** 20;
const keepingBytes = 64;

/**
 * Counts the changes of one list.
 * @throws RESOURCE_EXHAUSTED as soon as they take more than `maxListBytes`.
 */
export function createListLimit(): (path: string) => void {
  let sizeBytes = 0;
  let count = 0;
  return (path) => {
    count += 1;
    sizeBytes += path.length + keepingBytes;
    if (sizeBytes <= maxListBytes) return;
    const many = `${count} and further ones; a diff can be made`;
    const message = `there are more changes than fit in a list of ${maxListBytes} bytes: ${many}`;
    throw new CleatError("RESOURCE_EXHAUSTED", message);
  };
}

/** Gathers changes; a folder in which something changed is itself listed as modified. */
export interface ChangeList {
  add(path: string, kind: TreeChange["kind"]): void;
  /** All of them, sorted by the bytes of their paths. */
  sorted(): TreeChange[];
}

export function createChangeList(): ChangeList {
  const kinds = new Map<string, TreeChange["kind"]>();
  const assertFits = createListLimit();
  const list = (path: string, kind: TreeChange["kind"]): void => {
    assertFits(path);
    kinds.set(path, kind);
  };
  return {
    add(path, kind) {
      list(path, kind);
      for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
        const folder = path.slice(0, at);
        if (kinds.has(folder)) return;
        list(folder, "modified");
      }
    },
    sorted() {
      const changes = [...kinds].map(([path, kind]) => ({ path, kind }));
      return changes.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    },
  };
}
