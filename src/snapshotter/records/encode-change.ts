import { z } from "zod";
import type { JournalFormat } from "../../state/kit.ts";
import { snapshotKinds } from "../snapshotter.ts";
import type { Change, SnapshotRecord } from "./record.ts";

const id = z.int().positive();
const nanoseconds = z.string().regex(/^-?\d{1,20}$/);

/**
 * A record as it is kept: JSON, so that people can read it. Nanoseconds are text, being more than a number can hold.
 */
const storedRecord = z.strictObject({
  id,
  name: z.string().min(1),
  kind: z.enum(snapshotKinds),
  parent: id.optional(),
  // Pairs, because an object in JavaScript would not keep a label named "__proto__".
  labels: z.array(z.tuple([z.string(), z.string()])).optional(),
  created: nanoseconds,
  updated: nanoseconds,
  usage: z.strictObject({ size: z.number().nonnegative(), inodes: z.number().nonnegative() }).optional(),
  suspect: z.literal(true).optional(),
});

const storedChange = z.strictObject({
  put: z.array(storedRecord).optional(),
  remove: z.array(id).optional(),
  nextId: id.optional(),
});

/** The journal of records of snapshots. */
export const snapshotsFormat: JournalFormat<Change> = {
  name: "cleat-snapshots",
  subject: "records of snapshots",
  stored: storedChange.transform(fromStored),
  toStored,
};

function toStored({ put, remove, nextId }: Change): z.input<typeof storedChange> {
  return {
    ...(put !== undefined && { put: put.map(toStoredRecord) }),
    ...(remove !== undefined && { remove: [...remove] }),
    ...(nextId !== undefined && { nextId }),
  };
}

function fromStored({ put, remove, nextId }: z.output<typeof storedChange>): Change {
  return {
    ...(put !== undefined && { put: put.map(fromStoredRecord) }),
    ...(remove !== undefined && { remove }),
    ...(nextId !== undefined && { nextId }),
  };
}

function toStoredRecord(record: SnapshotRecord): z.input<typeof storedRecord> {
  const { id: own, name, kind, parentId, labels, createdNs, updatedNs, usage, isSuspect } = record;
  const pairs = Object.entries(labels);
  return {
    id: own,
    name,
    kind,
    ...(parentId !== undefined && { parent: parentId }),
    ...(pairs.length > 0 && { labels: pairs }),
    created: String(createdNs),
    updated: String(updatedNs),
    ...(usage !== undefined && { usage: { size: usage.sizeBytes, inodes: usage.inodes } }),
    ...(isSuspect === true && { suspect: true as const }),
  };
}

function fromStoredRecord(stored: z.output<typeof storedRecord>): SnapshotRecord {
  return {
    id: stored.id,
    name: stored.name,
    kind: stored.kind,
    parentId: stored.parent,
    labels: Object.fromEntries(stored.labels ?? []),
    createdNs: BigInt(stored.created),
    updatedNs: BigInt(stored.updated),
    usage: stored.usage && { sizeBytes: stored.usage.size, inodes: stored.usage.inodes },
    ...(stored.suspect === true && { isSuspect: true }),
  };
}
