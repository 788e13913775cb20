import { existsSync, lstatSync, readdirSync, readSync } from "node:fs";
import { isSystemError, SystemError } from "../../errors/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import { close, errnos, lastErrno, O_NONBLOCK, O_RDONLY, readlinkat, tryOpenat } from "../../syscall/index.ts";
import type { ListedLayer } from "../../graphdriver/index.ts";
import { type Parents, toListedLayers } from "../../graphdriver/job-kit.ts";
import { idIn, isLowerPath, linksFolder } from "./layout.ts";
import { createMisfitFinder } from "./misfits.ts";

/**
 * Which layers lie on which; costs a small file and a link for each, some microseconds. What is damaged tells nothing.
 * Blocks; runs on a worker.
 */
export function readParents(home: string): Parents {
  return withFolderAt(home, (folder) =>
    readdirSync(home).flatMap((id) => {
      if (id === linksFolder) return [];
      const lower = readFirstLower(folder, id);
      const parent = lower === undefined ? undefined : readLinkedId(folder, lower);
      return parent === undefined ? [] : [[id, parent] as const];
    }),
  );
}

/**
 * What there is of layers, as `exists` has it, but for one that is a link, or whose files are: those are another's.
 * Costs the same, two looks more for each, and what `createMisfitFinder` does. Blocks; runs on a worker.
 */
export function readLayers(home: string): readonly ListedLayer[] {
  const ids = readdirSync(home, { withFileTypes: true }).flatMap((entry) => {
    const path = `${home}/${entry.name}`;
    const isLayer = entry.isDirectory() && entry.name !== linksFolder && existsSync(`${path}/link`);
    return isLayer && isFolder(`${path}/diff`) ? [entry.name] : [];
  });
  const misfitOf = createMisfitFinder(home);
  return toListedLayers(ids, readParents(home)).map((layer) => {
    const misfit = misfitOf(layer.id);
    return misfit === undefined ? layer : { ...layer, misfit };
  });
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** More than the longest path that `isLowerPath` takes, and the colon after it. */
const start = Buffer.alloc(80);

/** They say nothing of the file, and a layer without a parent would not keep the one that it lies on. */
const shortages: readonly number[] = [errnos.EMFILE, errnos.ENFILE, errnos.ENOMEM];

/** The parent's link alone: a `lower` file of many layers is long. */
function readFirstLower(home: number, id: string): string | undefined {
  const file = tryOpenat(home, `${id}/lower`, O_RDONLY | O_NONBLOCK);
  if (file < 0) {
    if (shortages.includes(lastErrno())) throw new SystemError(lastErrno(), "openat", `${id}/lower`);
    return undefined;
  }
  try {
    const [first = ""] = start.toString("latin1", 0, readSync(file, start, 0, start.length, 0)).split(":", 1);
    return isLowerPath(first) ? first : undefined;
  } catch (error) {
    if (isSystemError(error)) return undefined; // no file
    throw error;
  } finally {
    close(file);
  }
}

function readLinkedId(home: number, lower: string): string | undefined {
  try {
    return idIn(readlinkat(home, lower).toString());
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
