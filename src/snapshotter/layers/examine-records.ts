import { existsSync } from "node:fs";
import { relative } from "node:path";
import { toCleatError } from "../../errors/index.ts";
import { type JournalFile, type JournalFiles, openJournalFiles, readHighWaterMark } from "../../state/kit.ts";
import { openRecords } from "../records/records.ts";
import { markFileOf, recordsFolderOf } from "./records-place.ts";
import { placeOf } from "./layer-names.ts";

/**
 * Why the records of a root could not be opened with the layers that are there, as who serves it would be told;
 * `undefined` where they could be, and for the home of another engine than containerd. Changes nothing. The root may be
 * in use: `listLayers` is asked first, and only where there are records, and what comes to these later only brings them
 * further.
 */
export async function examineRecords(
  root: string,
  listLayers: () => Promise<readonly string[]>,
): Promise<RecordsTrouble | undefined> {
  const folder = recordsFolderOf(root);
  if (!existsSync(folder)) return undefined;
  const layers = await listLayers();
  const usedId = layers.reduce((most, layer) => Math.max(most, placeOf(layer) ?? 0), 0);
  try {
    const mark = await readHighWaterMark(markFileOf(root));
    const files = await openJournalFiles(folder);
    try {
      await (await openRecords(readOnly(files), { usedId, mark })).close();
    } finally {
      await files.close();
    }
    return undefined;
  } catch (error) {
    return { path: relative(root, folder), problem: toCleatError(error, "snapshots").message };
  }
}

export interface RecordsTrouble {
  /** Where they are, relative to the root. */
  readonly path: string;
  readonly problem: string;
}

/** What is written goes nowhere. */
function readOnly({ read, close }: JournalFiles): JournalFiles {
  const nothing = async () => {};
  const file: JournalFile = {
    append: nothing,
    appendDurably: nothing,
    truncate: nothing,
    allocate: nothing,
    sync: nothing,
    close: nothing,
  };
  return { read, close, open: async () => file, rename: nothing, remove: nothing, syncFolder: nothing };
}
