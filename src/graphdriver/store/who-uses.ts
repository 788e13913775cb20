import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { isSystemError } from "../../errors/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import { fileSystemName, statat } from "../../syscall/index.ts";
import { ownFolder } from "../home/home.ts";

/**
 * Whether a process has the lock of a home (`lockHome`), seen without touching it: even the shortest try could make a driver
 * that opens just then fail. Processes of other PID namespaces are not seen. Source: proc(5), `/proc/locks`.
 */
export function isServed(home: string): boolean {
  const file = lockFileOf(home);
  if (file === undefined) return false;
  return readFileSync("/proc/locks", "utf8")
    .split("\n")
    .some((line) => line.includes(" FLOCK ") && line.split(/\s+/).some((field) => file.test(field)));
}

/** What `/proc/locks` calls the file: `08:01:1234`, device and inode. The device that btrfs tells to stat(2) is another. */
function lockFileOf(home: string): RegExp | undefined {
  try {
    return withFolderAt(`${home}/${ownFolder}`, (folder) => {
      const { inode, fileSystem } = statat(folder, "lock");
      const hex = (number: number): string => number.toString(16).padStart(2, "0");
      const device = `${hex(Math.floor(fileSystem / 2 ** 32))}:${hex(fileSystem % 2 ** 32)}`;
      return new RegExp(`^${fileSystemName(folder) === "btrfs" ? ".*" : device}:${inode}$`);
    });
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "EACCES")) return undefined;
    throw error;
  }
}

export interface Process {
  readonly pid: number;
  readonly command: string;
  /** What it has open. */
  readonly path: string;
}

/**
 * A process, other than this one, that holds a file below `folder` open. An engine that runs is one: dockerd
 * keeps its databases of volumes, networks and builds open in its data root. Costs a look at every open file of the machine.
 */
export function findUser(folder: string): Process | undefined {
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    if (Number(name) === process.pid) continue;
    const path = descriptorsOf(name)
      .map(targetOf)
      .find((target) => target?.startsWith(`${folder}/`));
    if (path !== undefined) return { pid: Number(name), command: commandOf(name), path };
  }
  return undefined;
}

function descriptorsOf(pid: string): string[] {
  return (whileThere(() => readdirSync(`/proc/${pid}/fd`)) ?? []).map((descriptor) => `/proc/${pid}/fd/${descriptor}`);
}

function targetOf(path: string): string | undefined {
  return whileThere(() => readlinkSync(path));
}

function commandOf(pid: string): string {
  return whileThere(() => readFileSync(`/proc/${pid}/comm`, "utf8").trim()) ?? "";
}

/** Processes end, and those of others may not be looked at. */
function whileThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ESRCH", "EACCES", "EPERM")) return undefined;
    throw error;
  }
}

/** Whether layers may come and go while a store is looked at: a driver serves it, or its engine runs. */
export function isInUse(home: string, engineRoot: string | undefined): boolean {
  return isServed(home) || (engineRoot !== undefined && findUser(engineRoot) !== undefined);
}
