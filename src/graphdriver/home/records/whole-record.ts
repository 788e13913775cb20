/**
 * That the layers of a home were found whole, or mended, on the mount on which they are:
 *
 *     <home>/.cleat/whole.json
 *     {"version":1,"boot":"4557356f-…","mount":"4294967381","inode":"786435","born":"1764318000.1"}
 *
 * As long as the machine runs, and the file system stays mounted where it is, nothing is lost of what was written to
 * it, also by a process that was killed. So the record needs no flush, and is believed only of the same boot and of the
 * same mount, in the file that it was written to: whatever was mounted anew, copied, moved to another machine or rolled
 * back has another. Where the kernel does not tell one mount from all later ones, and on file systems that somebody
 * else may keep (NFS, FUSE), there is none.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { isSystemError } from "../../../errors/index.ts";
import { withFolderAt } from "../../../layer/index.ts";
import { bootId, fileSystemName, readMountedFile } from "../../../syscall/index.ts";
import { ownFolder } from "../folders/home.ts";

/** Relative to the home. */
export const wholeRecordFile = `${ownFolder}/whole.json`;

/** Whether nothing can have been lost since `recordWhole`; false where that is not sure. */
export function hasStayedWhole(home: string): boolean {
  return withRecord(home, constants.O_RDONLY, (file) => {
    const expected = describe(file);
    return expected !== undefined && readFileSync(file, "utf8") === expected;
  });
}

/**
 * To be called when every layer was looked at. Where it cannot be written, the layers are looked at again next time.
 */
export function recordWhole(home: string): void {
  if (!keptHere.has(withFolderAt(home, fileSystemName))) return;
  withRecord(home, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, (file) => {
    const text = describe(file);
    if (text !== undefined) writeSync(file, text);
    return true;
  });
}

/** Kept by this kernel, on disks of the machine. */
const keptHere: ReadonlySet<string> = new Set(["extfs", "xfs", "btrfs"]);

function withRecord(home: string, flags: number, use: (file: number) => boolean): boolean {
  let file: number | undefined;
  try {
    file = openSync(`${home}/${wholeRecordFile}`, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
    return use(file);
  } catch (error) {
    if (isSystemError(error)) return false; // none, something else of that name, a full disk
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** What the record says that is written to this file, now. */
function describe(file: number): string | undefined {
  const [boot, own] = [bootId(), readMountedFile(file)];
  if (boot === "" || own === undefined) return undefined;
  const { mount, inode, birthSeconds, birthNanoseconds } = own;
  const born = `${birthSeconds}.${birthNanoseconds}`;
  return `${JSON.stringify({ version: 1, boot, mount: String(mount), inode: String(inode), born })}\n`;
}
