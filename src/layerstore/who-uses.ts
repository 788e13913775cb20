import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { isSystemError } from "../errors/index.ts";
import { isServed } from "../graphdriver/kit.ts";

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
