/**
 * Whose layers a home holds:
 *
 *     <home>/.cleat/driver.json   {"version": 1, "driver": "overlay2"}
 *
 * Written when a driver has opened the home for the first time, so that no other one ever takes its layers for its own: the
 * layouts of some are alike, and `--driver auto` must come to the same choice after a kernel has changed.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { z } from "zod";
import { CleatError, isSystemError, SchemaError, toCleatError } from "../../errors/index.ts";
import { ownFolder, stagingPath, uniqueName } from "./home.ts";

const driverRecord = z.object({ version: z.literal(1), driver: z.string() });

/** Relative to the home. */
export const driverRecordFile = `${ownFolder}/driver.json`;

function recordPath(home: string): string {
  return `${home}/${driverRecordFile}`;
}

/**
 * The driver that opened a home before; `undefined` where none of Cleat's has.
 * @throws SchemaError (DATA_LOSS) when the record is not one of a known version.
 */
export function readDriverRecord(home: string): string | undefined {
  const text = readRecord(recordPath(home));
  if (text === undefined) return undefined;
  const result = driverRecord.safeParse(parseJson(text));
  if (result.success) return result.data.driver;
  const issues = result.error.issues.map(({ path, message }) => ({ path: path.join("."), problem: message }));
  throw new SchemaError("DATA_LOSS", `file "${recordPath(home)}"`, issues);
}

function readRecord(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // which fits no schema
  }
}

/** @throws FAILED_PRECONDITION when the home holds another driver's layers. */
export function assertDriverOf(home: string, driver: string): void {
  const recorded = readDriverRecord(home);
  if (recorded === undefined || recorded === driver) return;
  const advice = `open it with ${recorded}, or give ${driver} a home of its own`;
  throw new CleatError(
    "FAILED_PRECONDITION",
    `home "${home}" holds layers of ${recorded}, not of ${driver}: ${advice}`,
  );
}

/**
 * Whole or not there, whenever this process or the machine dies. Once per home; a disk too full for it does not keep shut a store
 * from which something could be removed, and the next process to open the home writes it.
 */
export function recordDriver(home: string, driver: string): void {
  if (readDriverRecord(home) !== undefined) return;
  try {
    writeRecord(home, driver);
  } catch (error) {
    if (toCleatError(error).code !== "RESOURCE_EXHAUSTED") throw error;
  }
}

function writeRecord(home: string, driver: string): void {
  const staged = `${home}/${stagingPath(uniqueName())}`;
  const file = openSync(staged, "wx", 0o600);
  try {
    writeSync(file, `${JSON.stringify({ version: 1, driver })}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(staged, recordPath(home));
}
