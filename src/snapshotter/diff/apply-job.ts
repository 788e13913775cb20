import { createHash } from "node:crypto";
import { CleatError } from "../../errors/index.ts";
import { unpackDiff } from "../../graphdriver/job-kit.ts";
import {
  close,
  isInUserNamespace,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openPath,
  readNames,
  syncfs,
} from "../../syscall/index.ts";
import { createSyncRingReader, type Ring, type SyncRingReader } from "../../workers/index.ts";
import type { ApplyTarget } from "./apply-target.ts";

/** What was read of an archive that was unpacked: all of it, with what stands behind its end. */
export interface AppliedArchive {
  readonly diffId: string;
  readonly archiveBytes: number;
  /** Extended attributes that the file system cannot hold. */
  readonly leftOut: { readonly count: number; readonly names: readonly string[] };
}

/**
 * Unpacks the archive in `ring`. Runs on a worker; after an error part of it is there. One of no bytes at all, not even
 * end blocks, changes nothing, as in containerd's own differ, and is a layer of some images: whether that is what the
 * image has there, whoever asked compares with its digest.
 * @throws UNIMPLEMENTED, before anything is written, for an overlay's layer that holds something already.
 */
export async function applyArchiveTo(
  { folder, whiteouts, lowers }: ApplyTarget,
  ring: Ring,
  { sync }: { readonly sync: boolean },
): Promise<AppliedArchive> {
  const reader = createSyncRingReader(ring);
  const counted = countBytes(reader);
  const options = {
    whiteouts,
    ...(lowers && { lowers }),
    ids: { uids: [], gids: [] },
    syncFiles: false,
    strictAttributes: false,
    userNamespace: isInUserNamespace(),
  };
  const tree = openPath(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    if (whiteouts.kind === "overlay" && readNames(tree).length > 0) {
      throw new CleatError("UNIMPLEMENTED", `layer at ${JSON.stringify(folder)} holds something already`);
    }
    const start = counted.read();
    const source = start === undefined ? undefined : beginningWith(start, counted);
    const { leftOut } = source === undefined ? nothing : await unpackDiff(source, tree, options, undefined);
    while (counted.read() !== undefined);
    if (sync) syncfs(tree);
    return { ...counted.end(), leftOut };
  } finally {
    reader.leave();
    close(tree);
  }
}

const nothing = { leftOut: { count: 0, names: [] } } as const;

function beginningWith(start: Uint8Array, rest: SyncRingReader): SyncRingReader {
  let first: Uint8Array | undefined = start;
  return {
    leave: () => rest.leave(),
    read() {
      const bytes = first;
      first = undefined;
      return bytes ?? rest.read();
    },
  };
}

function countBytes(reader: SyncRingReader) {
  const hash = createHash("sha256");
  let archiveBytes = 0;
  return {
    read() {
      const bytes = reader.read();
      if (bytes === undefined) return undefined;
      hash.update(bytes);
      archiveBytes += bytes.length;
      return bytes;
    },
    leave: () => reader.leave(),
    end: () => ({ diffId: `sha256:${hash.digest("hex")}`, archiveBytes }),
  };
}
