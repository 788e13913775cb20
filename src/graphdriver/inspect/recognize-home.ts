import { existsSync } from "node:fs";
import { CleatError, isSystemError } from "../../errors/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import { statIfThere } from "../../syscall/index.ts";
import { driverRecordFile } from "../home/records/driver-record.ts";
import { markers } from "./known-drivers.ts";
import { kindOf, readJsonAt } from "./store-entries.ts";

/**
 * The driver whose store lies in a folder, as is written down there or by its layout; `undefined` for what is not a
 * store.
 */
export function recognizeHome(home: string): string | undefined {
  return lookInto(home, (folder) => {
    return recordedDriver(folder) ?? Object.entries(markers).find(([name]) => isMarker(folder, name))?.[1];
  });
}

/**
 * @throws FAILED_PRECONDITION when the home says that its layers are another driver's: nothing in it would look wrong,
 * or right.
 */
export function assertNotOfAnother(home: string, driver: string): void {
  const recorded = lookInto(home, recordedDriver);
  if (recorded === undefined || recorded === driver) return;
  throw new CleatError(
    "FAILED_PRECONDITION",
    `home ${JSON.stringify(home)} holds layers of ${recorded}, not of ${driver}`,
  );
}

function recordedDriver(home: number): string | undefined {
  try {
    const { version, driver } = readJsonAt(home, driverRecordFile) ?? {};
    return version === 1 && typeof driver === "string" ? driver : undefined;
  } catch (error) {
    if (isSystemError(error, "EACCES")) return undefined; // the layout tells, too
    throw error;
  }
}

function lookInto<T>(home: string, look: (folder: number) => T): T | undefined {
  if (!existsSync(home)) return undefined;
  try {
    return withFolderAt(home, look);
  } catch (error) {
    if (isSystemError(error, "ENOTDIR", "ENOENT", "EACCES")) return undefined;
    throw error;
  }
}

/**
 * Volumes may be called as a marker is, and what holds one is not a store: each has its files in `_data`, with Docker
 * and Podman.
 */
function isMarker(home: number, name: string): boolean {
  return kindOf(home, name) === "folder" && !isVolume(home, name);
}

function isVolume(folder: number, name: string): boolean {
  try {
    return statIfThere(folder, `${name}/_data`) !== undefined;
  } catch (error) {
    if (isSystemError(error, "EACCES", "ENOTDIR")) return false;
    throw error;
  }
}
