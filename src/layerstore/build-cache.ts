import { readSync } from "node:fs";
import { isSystemError } from "../errors/index.ts";
import { close, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, openat } from "../syscall/index.ts";
import { nameText, namesIn, withPathIfThere } from "../graphdriver/kit.ts";

const chunkBytes = 4 << 20;

/**
 * Which of `ids` Docker's build cache names. It keeps the layers of builds in databases of bbolt, by ids of its own; an
 * id that is anywhere in their bytes is taken for one in use, also if it was deleted: a layer too many that is kept
 * does no harm. Costs a read of the databases. Source: moby v20.10.24
 * `builder/builder-next/adapters/snapshot/snapshot.go`.
 */
export function findInBuildCache(dataRoot: number, ids: readonly string[]): Set<string> {
  const found = new Set<string>();
  withPathIfThere(dataRoot, "buildkit", (folder) => {
    for (const name of namesIn(folder, ".").filter((file) => nameText(file).endsWith(".db"))) {
      for (const chunk of readChunks(folder, name)) {
        for (const id of ids) if (!found.has(id) && chunk.includes(id)) found.add(id);
      }
    }
  });
  return found;
}

/** Overlapping by more than an id is long, so that none is cut in two. What is read ends where nothing more comes. */
function* readChunks(folder: number, name: Buffer): Generator<Buffer> {
  const descriptor = openDatabase(folder, name);
  if (descriptor === undefined) return;
  const overlapBytes = 256;
  const buffer = Buffer.alloc(chunkBytes);
  try {
    let kept = 0;
    for (let at = 0; ;) {
      const length = readSync(descriptor, buffer, kept, chunkBytes - kept, at);
      if (length === 0) return;
      at += length;
      yield buffer.subarray(0, kept + length);
      const next = Math.min(overlapBytes, kept + length);
      buffer.copyWithin(0, kept + length - next, kept + length);
      kept = next;
    }
  } finally {
    close(descriptor);
  }
}

function openDatabase(folder: number, name: Buffer): number | undefined {
  try {
    return openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ELOOP", "ENXIO")) return undefined;
    throw error;
  }
}
