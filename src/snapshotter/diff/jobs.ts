/** What the differ runs on workers, as one module that they import. */
import { createHash } from "node:crypto";
import {
  archiveChanges,
  type ArchiveChangesOptions,
  findChangesDepthFirst,
  findOverlayChanges,
  withFolderAt,
} from "../../layer/index.ts";
import { createSyncRingWriter, type Ring } from "../../workers/index.ts";
import type { ByteSink } from "../../tar/index.ts";
import { type ComparedStore, knowTrees } from "./compared-store.ts";
import type { DiffPlan, Tree } from "./plan-diff.ts";
import { withMounts } from "./with-mounts.ts";

export { applyArchiveTo } from "./apply-job.ts";

export interface ArchiveDiffOptions extends ArchiveChangesOptions {
  /** Whose layers folders of the plan may be. */
  readonly store?: ComparedStore | undefined;
}

/** Writes the archive of a diff into `ring`; the digest of what was written. */
export async function archiveDiff(plan: DiffPlan, ring: Ring, options: ArchiveDiffOptions): Promise<string> {
  const writer = createSyncRingWriter(ring);
  const hash = createHash("sha256");
  try {
    await archiveInto(plan, options, {
      write(bytes) {
        hash.update(bytes);
        writer.write(bytes);
      },
    });
    writer.finish();
    return `sha256:${hash.digest("hex")}`;
  } catch (error) {
    writer.abort();
    throw error;
  }
}

async function archiveInto(plan: DiffPlan, options: ArchiveDiffOptions, sink: ByteSink): Promise<void> {
  if (plan.kind === "layer") {
    const { upper, lowers, attributePrefix } = plan;
    withFolderAt(upper, (folder) =>
      archiveChanges(findOverlayChanges(folder, lowers, attributePrefix), folder, sink, options),
    );
    return;
  }
  const lendKnownSame = await knowTrees(options.store, plan.newer, plan.older);
  withTree(plan.newer, (newer) =>
    withTree(plan.older, (older) =>
      lendKnownSame({ newer, older }, (isKnownSame) =>
        archiveChanges(findChangesDepthFirst(newer, older, isKnownSame), newer, sink, options),
      ),
    ),
  );
}

function withTree<T>(tree: Tree, visit: (folder: number) => T): T {
  return "folder" in tree ? withFolderAt(tree.folder, visit) : withMounts(tree.mounts, visit);
}
