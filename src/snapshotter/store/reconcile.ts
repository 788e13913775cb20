import type { Logger } from "../../transport/index.ts";
import type { SnapshotRecord } from "../records/record.ts";
import type { Records } from "../records/records.ts";
import type { ListedPlace, SnapshotStorage } from "../snapshot-storage.ts";
import { hasOwnPlace } from "./snapshot-table.ts";

/**
 * Compares records with the places that are there. Returns those whose files are gone, or are not to be trusted: they
 * are no snapshots any more. What cannot be looked at now stays one: a disk may fail for a moment. A commit on a new
 * parent that a crash cut in two is taken back.
 */
export async function reconcile(
  records: Records,
  listed: readonly ListedPlace[],
  storage: SnapshotStorage,
  logger: Logger,
): Promise<Set<number>> {
  const places = new Map(listed.map((place) => [place.id, place]));
  const missing = new Set<number>();
  for (const record of records.all()) {
    if (!hasOwnPlace(record)) continue;
    const place = places.get(record.id);
    if (place?.unreadable !== undefined) {
      const fields = { id: record.id, snapshot: record.name, problem: place.unreadable };
      logger.warn(fields, "files of a snapshot cannot be looked at now");
      continue;
    }
    const problem = await problemOf(record, place, storage);
    if (problem === undefined) continue;
    missing.add(record.id);
    logger.warn({ id: record.id, snapshot: record.name, ...problem.fields }, problem.message);
  }
  return missing;
}

interface Problem {
  readonly message: string;
  readonly fields?: object;
}

async function problemOf(
  { id, kind, parentId }: SnapshotRecord,
  place: ListedPlace | undefined,
  storage: SnapshotStorage,
): Promise<Problem | undefined> {
  if (place === undefined) return { message: "files of a snapshot are gone" };
  if (place.misfit !== undefined) {
    return { message: "files of a snapshot are not to be trusted", fields: { problem: place.misfit } };
  }
  if (storage.rebase === undefined || place.parentId === parentId) return undefined;
  const fields = { parent: parentId, liesOn: place.parentId };
  if (kind !== "active" || parentId !== undefined) {
    return { message: "files of a snapshot lie on others than its parent's", fields };
  }
  try {
    await storage.rebase(id, undefined);
    return undefined;
  } catch (error) {
    return { message: "files of a snapshot could not be taken off others", fields: { ...fields, err: error } };
  }
}
