import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../errors/index.ts";
import {
  dockerDrivers,
  driverRecordFile,
  isOfFileSystem,
  markers,
  ownFolder,
  readDriverRecord,
} from "../graphdriver/kit.ts";

/**
 * The drivers whose layers are under a root, `ROOT/NAME` with something in it, sorted. `vfs` never counts, as with
 * Docker: it is a last resort, not a choice. Unlike Docker, folders of drivers that are not registered here count too,
 * and one that holds nothing but empty folders does not: a driver that made them and then could not go on has no
 * layers.
 *
 * Source: moby v20.10.24 `daemon/graphdriver/driver.go` `scanPriorDrivers`, `isEmptyDir`.
 */
export async function priorDriversUnder(root: string, registered: readonly string[]): Promise<string[]> {
  const names = [...new Set([...registered, ...dockerDrivers])].filter((name) => name !== "vfs").toSorted();
  const held = await Promise.all(names.map((name) => holdsLayers(join(root, name))));
  return names.filter((_, index) => held[index]);
}

/**
 * The drivers whose layers a single home holds, as an engine names it at `Init`: the one that Cleat recorded or, in a
 * store of Docker's own, what its layout tells. Here `vfs` counts: layers must not disappear.
 * @throws SchemaError (DATA_LOSS) when the record is damaged.
 */
export async function priorDriversIn(home: string): Promise<string[]> {
  const recorded = readDriverRecord(home)?.driver;
  if (recorded !== undefined) return [recorded];
  // See the order of `markers`.
  if (!(await isEmpty(join(home, "l")))) return ["overlay2"];
  const found = await Promise.all(
    Object.entries(markers).map(async ([folder, driver]) => ((await isEmpty(join(home, folder))) ? [] : [driver])),
  );
  return found.flat().toSorted();
}

async function holdsLayers(home: string): Promise<boolean> {
  const names = await namesIn(home);
  if (names === "unreadable") return true;
  if (existsSync(join(home, driverRecordFile))) return true;
  const others = names.filter((name) => name !== ownFolder);
  const empty = await Promise.all(others.map((name) => isEmpty(join(home, name))));
  return empty.includes(false);
}

async function isEmpty(path: string): Promise<boolean> {
  const names = await namesIn(path);
  return names !== "unreadable" && names.length === 0;
}

/** What cannot be read may hold layers, as Docker assumes. */
async function namesIn(folder: string): Promise<readonly string[] | "unreadable"> {
  try {
    return (await readdir(folder)).filter((name) => !isOfFileSystem(name));
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return [];
    if (isSystemError(error)) return "unreadable";
    throw error;
  }
}
