/** The blocking halves of `naive-diff.ts`, run on workers. */
import {
  type ArchiveDialect,
  archiveDifference as archiveTreeDifference,
  archiveTree,
  differenceSize,
  findChanges,
  type IdRanges,
  type IsKnownSame,
  type WhiteoutConvention,
  withFolderAt,
} from "../../layer/index.ts";
import { createSyncRingWriter, type Ring, type SyncRingWriter } from "../../workers/index.ts";
import type { WithKnownSame } from "../known-same.ts";
import { writeChanges } from "./change-records.ts";

export interface ArchiveTreeOptions {
  readonly ids: IdRanges;
  readonly archiveDialect: ArchiveDialect;
}

/** Two layers; paths are those that a driver's `get` gave. */
export interface ComparedLayers {
  readonly home: string;
  readonly id: string;
  readonly path: string;
  readonly parent: string | undefined;
  readonly parentPath: string | undefined;
}

export interface NaiveJobs {
  archiveDifference(layers: ComparedLayers, ring: Ring, options: ArchiveTreeOptions): void;
  /** Writes the changes into the ring as `readChanges` reads them. */
  sendChanges(layers: ComparedLayers, ring: Ring): void;
  sizeOfDifference(layers: ComparedLayers): number;
}

/** A whole tree keeps no deletions of its own. */
const whiteouts: WhiteoutConvention = { kind: "delete" };

/** The jobs of a driver; one that knows nothing reads all that is alike in both trees. */
export function createNaiveJobs(withKnownSame: WithKnownSame = (_, visit) => visit(undefined)): NaiveJobs {
  type Visit<T> = (newer: number, older: number | undefined, isKnownSame?: IsKnownSame) => T;

  function withTrees<T>({ path, parentPath, parent, ...place }: ComparedLayers, visit: Visit<T>): T {
    return withFolderAt(path, (newer) => {
      if (parentPath === undefined || parent === undefined) return visit(newer, undefined);
      return withFolderAt(parentPath, (older) =>
        withKnownSame({ ...place, parent, newer, older }, (isKnownSame) => visit(newer, older, isKnownSame)),
      );
    });
  }

  return {
    archiveDifference(layers, ring, options) {
      writeInto(ring, (sink) =>
        withTrees(layers, (newer, older, isKnownSame) => {
          if (older === undefined) archiveTree(newer, sink, { whiteouts, ...options });
          else archiveTreeDifference(newer, older, sink, { whiteouts, ...options }, isKnownSame);
        }),
      );
    },
    sendChanges(layers, ring) {
      writeInto(ring, (sink) => withTrees(layers, (...trees) => writeChanges(findChanges(...trees), sink)));
    },
    sizeOfDifference: (layers) => withTrees(layers, differenceSize),
  };
}

function writeInto(ring: Ring, write: (sink: SyncRingWriter) => void): void {
  const sink = createSyncRingWriter(ring);
  try {
    write(sink);
    sink.finish();
  } catch (error) {
    sink.abort();
    throw error;
  }
}
