/**
 * Whose layers a home holds:
 *
 *     <home>/.cleat/driver.json   {"version": 1, "driver": "overlay2", "attributes": "trusted."}
 *
 * Written when a driver has opened the home for the first time, so that no other one ever takes its layers for its own: the
 * layouts of some are alike, and `--driver auto` must come to the same choice after a kernel has changed.
 *
 * `attributes`, with drivers of overlay's layout, are those that say which folders hide what lies below them: the host's root keeps
 * them in others than root of a user namespace, and where they are not looked for, what was deleted is there again. `squash` is true
 * where an ordinary user keeps the layers: all files are that user's, whoever owns them in a container.
 */
import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { z } from "zod";
import { CleatError, toCleatError } from "../../errors/index.ts";
import type { OverlayPrefix } from "../../layer/index.ts";
import { ownFolder, stagingPath, uniqueName } from "./home.ts";
import { readJsonRecord } from "./json-record.ts";

const overlayPrefix: z.ZodType<OverlayPrefix> = z.enum(["trusted.", "user."]);
const driverRecord = z.object({
  version: z.literal(1),
  driver: z.string(),
  attributes: overlayPrefix.optional(),
  squash: z.boolean().optional(),
});

/** Whose layers a home holds, and how they are kept. */
export interface HomeUse {
  readonly driver: string;
  /** `undefined` for drivers that keep no such attributes. */
  readonly attributes?: OverlayPrefix | undefined;
  /** Default false. */
  readonly squash?: boolean | undefined;
}

/** Relative to the home. */
export const driverRecordFile = `${ownFolder}/driver.json`;

function recordPath(home: string): string {
  return `${home}/${driverRecordFile}`;
}

/**
 * The use that was made of a home before; `undefined` where none of Cleat's has.
 * @throws SchemaError (DATA_LOSS) when the record is not one of a known version.
 */
export function readDriverRecord(home: string): HomeUse | undefined {
  return readJsonRecord(recordPath(home), driverRecord, `file "${recordPath(home)}"`);
}

/** @throws FAILED_PRECONDITION when the home holds another driver's layers, or such as are to be read otherwise. */
export function assertUse(home: string, { driver, attributes, squash }: HomeUse): void {
  const recorded = readDriverRecord(home);
  if (recorded === undefined) return;
  const own = `give ${driver} a home of its own`;
  if (recorded.driver !== driver) {
    const advice = `open it with ${recorded.driver}, or ${own}`;
    throw refused(home, `layers of ${recorded.driver}, not of ${driver}: ${advice}`);
  }
  if (recorded.squash && !squash)
    throw refused(home, `layers that an ordinary user keeps: open it as that user, or ${own}`);
  if (recorded.attributes === undefined || recorded.attributes === attributes) return;
  const where = recorded.attributes === "user." ? "in a user namespace" : "as root of the host";
  throw refused(home, `layers that ${driver} made ${where}, and that are misread elsewhere: open it there, or ${own}`);
}

function refused(home: string, holds: string): CleatError {
  return new CleatError("FAILED_PRECONDITION", `home "${home}" holds ${holds}`);
}

/**
 * Whole or not there, whenever this process or the machine dies. Once per home; a disk too full for it does not keep shut a store
 * from which something could be removed, and the next process to open the home writes it.
 */
export function recordUse(home: string, use: HomeUse): void {
  if (readDriverRecord(home) !== undefined) return;
  try {
    writeRecord(home, use);
  } catch (error) {
    if (toCleatError(error).code !== "RESOURCE_EXHAUSTED") throw error;
  }
}

function writeRecord(home: string, { driver, attributes, squash }: HomeUse): void {
  const staged = `${home}/${stagingPath(uniqueName())}`;
  const file = openSync(staged, "wx", 0o600);
  try {
    try {
      writeSync(file, `${JSON.stringify({ version: 1, driver, attributes, squash })}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(staged, recordPath(home));
  } catch (error) {
    unlinkSync(staged);
    throw error;
  }
}
