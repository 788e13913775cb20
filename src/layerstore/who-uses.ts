import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { isSystemError } from "../errors/index.ts";
import { withFolderAt } from "../layer/index.ts";
import { mountHolding, readMounts, statat } from "../syscall/index.ts";
import { ownFolder } from "../graphdriver/kit.ts";

/**
 * Whether a process has the lock of a home (`lockHome`), seen without touching it: even the shortest try could make a
 * driver that opens just then fail. Processes of other PID namespaces are not seen. Source: proc(5), `/proc/locks`.
 */
function isServed(home: string): boolean {
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

export interface Process {
  readonly pid: number;
  readonly command: string;
  /** What it has open. */
  readonly path: string;
}

/**
 * A process, other than this one, that holds a file below `folder` open. An engine that runs is one: dockerd keeps its
 * databases of volumes, networks and builds open in its data root. Costs a look at every open file of the machine.
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
