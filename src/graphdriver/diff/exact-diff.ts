/**
 * What makes the diff of a layer reproducible: a folder beside the layer's tree, wherever a driver keeps it.
 *
 *     record.json          {"version":1,"parent":"<id>" or null,"archiveBytes":<number>,"staged":"<path>" or null}
 *     tar-split.json.gz    the archive without its files' contents, as Docker and containers/storage write it
 *
 * `staged` is the path, relative to the home, from which the tree comes into the store by one rename, for drivers that
 * do so: while something is there the tree may not have come yet, and the folder means nothing.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { CleatError, isSystemError, SchemaError, withSubject } from "../../errors/index.ts";
import { applyLayerExactly, type ApplyOptions, assembleLayerAt } from "../../layer/index.ts";
import { close, isThere, O_CREAT, O_EXCL, O_RDWR, openPath } from "../../syscall/index.ts";
import { defineRecord, readJsonRecord } from "../home/records/json-record.ts";
import { createSyncRingWriter, type Ring, type SyncRingReader, type SyncRingWriter } from "../../workers/index.ts";

export interface ExactDiffRecord {
  readonly version: 1;
  readonly parent: string | null;
  readonly archiveBytes: number;
  readonly staged: string | null;
}

const isNameOrNull = (value: unknown): boolean => value === null || typeof value === "string";

const exactDiffRecord = defineRecord<ExactDiffRecord>({
  version: (value) => value === 1,
  parent: isNameOrNull,
  archiveBytes: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  staged: isNameOrNull,
});

/** In the folder of what is kept. */
export const recordFile = "record.json";
export const dataFile = "tar-split.json.gz";

/**
 * What is recorded in `folder`, relative to the home; `undefined` where nothing is, or the tree has not come. One or
 * two small reads.
 * @throws SchemaError (DATA_LOSS) when the record is damaged or of a later version.
 */
export function readExactDiff(home: string, folder: string): ExactDiffRecord | undefined {
  const record = readRecord(`${home}/${folder}/${recordFile}`);
  return record !== undefined && hasTree(home, record) ? record : undefined;
}

/**
 * The staged tree, relative to the home, for which what is recorded in `folder` still waits; `undefined` where it does
 * not. A damaged record waits for nothing, and is left for who asks for the diff.
 */
export function stagedTreeOf(home: string, folder: string): string | undefined {
  try {
    const record = readRecord(`${home}/${folder}/${recordFile}`);
    return record === undefined || hasTree(home, record) ? undefined : (record.staged ?? undefined);
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}

function hasTree(home: string, { staged }: ExactDiffRecord): boolean {
  return staged === null || !isThere(`${home}/${staged}`);
}

function readRecord(path: string): ExactDiffRecord | undefined {
  return readJsonRecord(path, exactDiffRecord, `record of an exact diff, ${path},`);
}

/** What to keep of an archive. */
export interface KeepOptions {
  /** An absolute path, which is made. */
  readonly folder: string;
  readonly parent: string | undefined;
  readonly staged?: string;
}

/** Unpacks an archive as `applyLayer` does, and keeps what it was; syncing both is the caller's. */
export async function applyWithExactDiff(
  source: SyncRingReader,
  tree: number,
  options: ApplyOptions,
  { folder, parent, staged }: KeepOptions,
): Promise<number> {
  mkdirSync(folder, { mode: 0o700 });
  const data = openPath(`${folder}/${dataFile}`, O_RDWR | O_CREAT | O_EXCL, 0o600);
  try {
    const { sizeBytes, archiveBytes } = await applyLayerExactly(source, tree, data, options);
    const record: ExactDiffRecord = { version: 1, parent: parent ?? null, archiveBytes, staged: staged ?? null };
    writeFileSync(`${folder}/${recordFile}`, JSON.stringify(record), { mode: 0o600 });
    return sizeBytes;
  } finally {
    close(data);
  }
}

/** What a worker needs to send an exact diff; the paths are absolute. */
export interface ExactDiffPlace {
  readonly id: string;
  readonly tree: string;
  readonly folder: string;
}

/** Writes a layer's archive into `ring`. Blocks, but for the event loop of its worker. */
export async function sendExactDiff({ id, tree, folder }: ExactDiffPlace, ring: Ring): Promise<void> {
  const sink = createSyncRingWriter(ring);
  try {
    await assembleAt(tree, folder, sink);
    sink.finish();
  } catch (error) {
    sink.abort();
    throw withSubject(error, `layer "${id}"`);
  }
}

async function assembleAt(tree: string, folder: string, sink: SyncRingWriter): Promise<void> {
  const record = readRecord(`${folder}/${recordFile}`);
  try {
    if (record !== undefined)
      return await assembleLayerAt({ tree, data: `${folder}/${dataFile}` }, sink, record.archiveBytes);
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
    if (isThere(`${folder}/${recordFile}`)) {
      throw new CleatError("DATA_LOSS", `what is kept of its archive, ${folder}, is not whole`, { cause: error });
    }
  }
  throw new CleatError("ABORTED", "it was removed while its diff began");
}
