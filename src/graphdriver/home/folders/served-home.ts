import { readFileSync } from "node:fs";
import { isSystemError } from "../../../errors/index.ts";
import { withFolderAt } from "../../../layer/index.ts";
import { mountHolding, readMounts, statat } from "../../../syscall/index.ts";
import { ownFolder, servedAlready } from "./home.ts";

/**
 * Whether `lockHome` would refuse a home, seen as `isServed` sees it.
 * @throws FAILED_PRECONDITION as that does.
 */
export function assertNotServed(home: string): void {
  if (isServed(home)) throw servedAlready(home);
}

/**
 * Whether a process has the lock of a home (`lockHome`), seen without touching it: even the shortest try could make a
 * driver that opens just then fail. Processes of other PID namespaces are not seen. Source: proc(5), `/proc/locks`.
 */
export function isServed(home: string): boolean {
  const file = lockFileOf(home);
  if (file === undefined) return false;
  return readFileSync("/proc/locks", "utf8")
    .split("\n")
    .some((line) => line.includes(" FLOCK ") && line.split(/\s+/).includes(file));
}

/**
 * What `/proc/locks` calls the file: `08:01:1234`, device and inode. The device is the file system's, which stat(2)
 * does not tell on btrfs and on overlays.
 */
function lockFileOf(home: string): string | undefined {
  try {
    const { inode } = withFolderAt(`${home}/${ownFolder}`, (folder) => statat(folder, "lock"));
    const device = mountHolding(`${home}/${ownFolder}`, readMounts())?.device.split(":") ?? [];
    return [...device.map((number) => Number(number).toString(16).padStart(2, "0")), inode].join(":");
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "EACCES")) return undefined;
    throw error;
  }
}
