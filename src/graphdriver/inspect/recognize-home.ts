import { existsSync } from "node:fs";
import { CleatError, isSystemError } from "../../errors/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import { readNames } from "../../syscall/index.ts";
import { driverRecordFile } from "../home/records/driver-record.ts";
import { markers } from "./known-drivers.ts";
import { nameText, readJsonAt, withFolderIfThere } from "./store-entries.ts";

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
 * Folders of all kinds are called as a marker is, a volume's too: one is a store's that holds nothing yet, or something
 * that an engine has named.
 */
function isMarker(home: number, name: string): boolean {
  try {
    const names = withFolderIfThere(home, name, readNames);
    return names !== undefined && (names.length === 0 || names.some((entry) => engineName.test(nameText(entry))));
  } catch (error) {
    if (isSystemError(error, "EACCES")) return true;
    throw error;
  }
}

/**
 * Ids of layers, BuildKit's, and links of overlay2; in the folders of drivers that Cleat does not have, those as well.
 * Source: moby v20.10.24 `stringid.GenerateRandomID`, `overlay2/randomid.go`; buildkit v0.8 `identity.NewID`;
 * containers/storage v1.43 `drivers/overlay/randomid_linux.go`.
 */
const engineName = /^(?:[0-9a-f]{64}(?:-init)?|[0-9a-z]{25}(?:-init)?|[0-9A-Z]{26}|metadata)$/;
