import { lstatSync, readdirSync, readSync } from "node:fs";
import { constants } from "node:os";
import { isSystemError, SystemError } from "../../../errors/index.ts";
import { withFolderAt } from "../../../layer/index.ts";
import { close, isThere, lastErrno, O_NONBLOCK, O_RDONLY, readlinkat, tryOpenat } from "../../../syscall/index.ts";
import type { ListedLayer } from "../../../graphdriver/index.ts";
import {
  isOfFileSystem,
  layerIdPattern,
  orUnread,
  type Parents,
  toListedLayers,
  Unread,
} from "../../../graphdriver/job-kit.ts";
import { idIn, isLowerPath, linksFolder } from "./layout.ts";
import { createMisfitFinder } from "./misfits.ts";

/**
 * Which layers lie on which; costs a small file and a link for each, some microseconds. What is damaged tells nothing;
 * what cannot be read now may lie on any.
 * Blocks; runs on a worker.
 */
export function readParents(home: string): Parents {
  return withFolderAt(home, (folder) =>
    readdirSync(home).flatMap((id): Parents => {
      if (id === linksFolder) return [];
      const parent = orUnread(() => {
        const lower = readFirstLower(folder, id);
        return lower === undefined ? undefined : readLinkedId(folder, lower);
      });
      if (parent instanceof Unread) return isLayerName(id) ? [[id, undefined]] : [];
      return parent === undefined ? [] : [[id, parent]];
    }),
  );
}

/**
 * What there is of layers, as `exists` has it, but for one that is a link, or whose files are: those are another's.
 * Costs the same, two looks more for each, and what `createMisfitFinder` does. Blocks; runs on a worker.
 */
export function readLayers(home: string): readonly ListedLayer[] {
  const unreadable = new Map<string, string>();
  const ids = readdirSync(home, { withFileTypes: true }).flatMap((entry) => {
    const { name } = entry;
    if (!entry.isDirectory() || name === linksFolder) return [];
    try {
      return isThere(`${home}/${name}/link`) && isFolder(`${home}/${name}/diff`) ? [name] : [];
    } catch (error) {
      if (!isSystemError(error)) throw error;
      if (!isLayerName(name)) return [];
      unreadable.set(name, error.message);
      return [name];
    }
  });
  const misfitOf = createMisfitFinder(home);
  return toListedLayers(ids, readParents(home), unreadable).map((layer) => {
    const misfit = misfitOf(layer.id);
    return misfit === undefined ? layer : { ...layer, misfit };
  });
}

/** What has it need not be a layer. */
function isLayerName(name: string): boolean {
  return name !== linksFolder && layerIdPattern.test(name) && !isOfFileSystem(name);
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** More than the longest path that `isLowerPath` takes, and the colon after it. */
const start = Buffer.alloc(80);

/** No file that can be opened has the name: it tells nothing, now and later. */
const absences = ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO", "EISDIR", "EINVAL"] as const;
const absentErrnos: readonly number[] = absences.map((code) => constants.errno[code]);

/** The parent's link alone: a `lower` file of many layers is long. */
function readFirstLower(home: number, id: string): string | undefined {
  const file = tryOpenat(home, `${id}/lower`, O_RDONLY | O_NONBLOCK);
  if (file < 0) {
    const errno = lastErrno();
    if (absentErrnos.includes(errno)) return undefined;
    throw new SystemError(errno, "openat", `${id}/lower`);
  }
  try {
    return unlessAbsent(() => {
      const [first = ""] = start.toString("latin1", 0, readSync(file, start, 0, start.length, 0)).split(":", 1);
      return isLowerPath(first) ? first : undefined;
    });
  } finally {
    close(file);
  }
}

function readLinkedId(home: number, lower: string): string | undefined {
  return unlessAbsent(() => idIn(readlinkat(home, lower).toString()));
}

function unlessAbsent<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isSystemError(error, ...absences)) return undefined;
    throw error;
  }
}
