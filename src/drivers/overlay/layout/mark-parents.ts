import { writeFileSync } from "node:fs";
import { orUnread, Unread } from "../../../graphdriver/job-kit.ts";
import { withFolderAt } from "../../../layer/index.ts";
import { isThere, statIfThere } from "../../../syscall/index.ts";
import { readParents } from "./read-parents.ts";

/**
 * Says that a layer has a child, and is from here on mounted read-only; one that says so is not written to once more.
 */
export function markCommitted(home: string, id: string): void {
  const path = `${home}/${id}/committed`;
  if (!isThere(path)) writeFileSync(path, "", { mode: 0o600 });
}

/**
 * Marks the layers that have a child and do not say so: Docker before 20.10 did not mark them, and a write to one would
 * change what is above it. Returns those that cannot be marked now, with what the system says, as on a full disk: they
 * keep no store shut, and whoever serves it mounts them read-only all the same. Costs what `readParents` does, and a
 * look at each parent; blocks; runs on a worker.
 */
export function markParents(home: string): ReadonlyMap<string, string> {
  const unmarked = new Map<string, string>();
  const parents = new Set(readParents(home).map(([, parent]) => parent));
  withFolderAt(home, (folder) => {
    for (const id of parents) {
      if (id === undefined) continue;
      const marked = orUnread(() => {
        const isMarked = statIfThere(folder, `${id}/committed`) !== undefined;
        if (!isMarked && statIfThere(folder, id) !== undefined) markCommitted(home, id);
      });
      if (marked instanceof Unread) unmarked.set(id, marked.problem);
    }
  });
  return unmarked;
}
