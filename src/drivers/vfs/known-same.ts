import { changeTime, isBefore, readLayerRecord, type Stamp, type WithKnownSame } from "../../graphdriver/job-kit.ts";
import { fileSystemName } from "../../syscall/index.ts";
import { createMovedFolders, type MovedFolders } from "./moved-folders.ts";

/**
 * A file of the copy that was not touched since it was made, of one that was not touched since before, both in folders
 * that were not moved since.
 */
export const withKnownSame: WithKnownSame = ({ home, id, parent, newer, older }, visit) => {
  const record = readLayerRecord(home, id);
  if (!record?.copied || record.parent !== parent) return visit(undefined);
  const { from, to } = record.copied;
  const staysInNewer = createPlaceFinder(newer, to);
  const staysInOlder = createPlaceFinder(older, from);
  return visit((path, file, below) => {
    const touched = changeTime(file);
    if (!isBefore(touched, to) || isBefore(touched, from) || !isBefore(changeTime(below), from)) return false;
    const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    return staysInNewer(folder) && staysInOlder(folder);
  });
};

/** Tells of folders whether what lies in them, and bears a stamp from before `moment`, lay there then. */
function createPlaceFinder(root: number, moment: Stamp): (folder: string) => boolean {
  let folders: MovedFolders | undefined;
  let exchangesSilently = false;
  return (folder) => {
    if (folders === undefined) {
      exchangesSilently = silentFileSystems.includes(fileSystemName(root));
      const isChanged = (status: Parameters<typeof changeTime>[0]) => !isBefore(changeTime(status), moment);
      folders = createMovedFolders(root, { isChanged, exchangesSilently });
    }
    return !folders.mayHaveMoved(folder) && !(exchangesSilently && folders.isTouched(folder));
  };
}

/**
 * On xfs names of one folder that are exchanged leave a mark on that alone. Source: Linux v6.1 `fs/xfs/xfs_inode.c`
 * `xfs_cross_rename`, and renames tried on v6.18.
 */
const silentFileSystems: readonly string[] = ["xfs"];
