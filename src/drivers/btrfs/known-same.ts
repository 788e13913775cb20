import { type FileStatus, fstat, isSubvolume, subvolumeInfo } from "../../syscall/index.ts";
import { changeTime, isBefore, readLayerRecord, type Stamp, type WithKnownSame } from "../../graphdriver/job-kit.ts";

/**
 * A snapshot has its files' inodes from what it was taken of, numbers and times of change included. Those that still
 * bear the same were touched in neither since, if that time is before the snapshot: within one tick of the kernel's
 * clock it would not tell before from after.
 */
export const withKnownSame: WithKnownSame = ({ home, id, newer, older }, visit) => {
  const before = snapshotTime(home, id, newer, older);
  if (before === undefined) return visit(undefined);
  // Files in subvolumes of a container's own are numbered anew.
  const [ofNewer, ofOlder] = [fstat(newer).fileSystem, fstat(older).fileSystem];
  return visit(
    (_, file, below) =>
      file.inode === below.inode &&
      file.fileSystem === ofNewer &&
      below.fileSystem === ofOlder &&
      isSameTime(file, below) &&
      isBefore(changeTime(file), before),
  );
};

function isSameTime(file: FileStatus, below: FileStatus): boolean {
  return file.ctimeSeconds === below.ctimeSeconds && file.ctimeNanoseconds === below.ctimeNanoseconds;
}

/** A moment before `newer` was taken of `older`; `undefined` where it was not, or nothing tells. */
function snapshotTime(home: string, id: string, newer: number, older: number): Stamp | undefined {
  if (!isSubvolume(fstat(newer)) || !isSubvolume(fstat(older))) return undefined;
  const { uuid } = subvolumeInfo(older);
  const record = readLayerRecord(home, id);
  if (record?.source === uuid) return record.copied?.from;
  const { sourceUuid, createdSeconds } = subvolumeInfo(newer);
  return sourceUuid === uuid ? [createdSeconds - commitSeconds, 0] : undefined;
}

/** The kernel stamps a snapshot somewhere in the commit that makes it, which on a slow disk may take a while. */
const commitSeconds = 60;
