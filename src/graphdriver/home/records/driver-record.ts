/**
 * Whose layers a home holds:
 *
 *     <home>/.cleat/driver.json   {"version": 1, "driver": "overlay2", "attributes": "trusted."}
 *
 * Written when a driver has opened the home for the first time, so that no other one ever takes its layers for its own:
 * the layouts of some are alike, and `--driver auto` must come to the same choice after a kernel has changed.
 *
 * `attributes`, with drivers of overlay's layout, are those that say which folders hide what lies below them: the
 * host's root keeps them in others than root of a user namespace, and where they are not looked for, what was deleted
 * is there again. `squash` is true where an ordinary user keeps the layers: all files are that user's, whoever owns
 * them in a container.
 *
 * `door` is `snapshotter` where a snapshotter's records tell which layers there are (`OpenOptions.door`).
 */
import { readdirSync, statSync } from "node:fs";
import { basename } from "node:path";
import { CleatError, toCleatError } from "../../../errors/index.ts";
import { type OverlayPrefix, withFolderAt } from "../../../layer/index.ts";
import type { HomeDoor } from "../../driver-factory.ts";
import { isThere } from "../../../syscall/index.ts";
import { isOfFileSystem } from "../../foreign-names.ts";
import { ownFolder } from "../folders/home.ts";
import { defineRecord, readJsonRecord } from "./json-record.ts";
import { writeRecord } from "./write-record.ts";

/** Whose layers a home holds, and how they are kept. */
export interface HomeUse {
  readonly driver: string;
  /** `undefined` for drivers that keep no such attributes. */
  readonly attributes?: OverlayPrefix | undefined;
  /** Default false. */
  readonly squash?: boolean | undefined;
  /** Default: the driver's own contract, and Docker's protocol for it. */
  readonly door?: HomeDoor | undefined;
}

/** Names that nobody has left out. */
const homeDoors: Readonly<Record<HomeDoor, true>> = { snapshotter: true };
const overlayPrefixes: Readonly<Record<OverlayPrefix, true>> = { "trusted.": true, "user.": true };
const isOneOf = (names: object) => (value: unknown) =>
  value === undefined || (typeof value === "string" && Object.hasOwn(names, value));

const driverRecord = defineRecord<HomeUse & { readonly version: 1 }>({
  version: (value) => value === 1,
  driver: (value) => typeof value === "string",
  attributes: isOneOf(overlayPrefixes),
  squash: (value) => value === undefined || typeof value === "boolean",
  door: isOneOf(homeDoors),
});

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

/**
 * @throws FAILED_PRECONDITION when the home holds another driver's layers, such as are to be read otherwise, or such as
 * were made through the other door.
 */
export function assertUse(home: string, { driver, attributes, squash, door }: HomeUse): void {
  const recorded = readDriverRecord(home);
  if (recorded === undefined) return door === undefined ? undefined : assertNothingHeld(home, door);
  const own = `give ${driver} a home of its own`;
  if (recorded.driver !== driver) {
    const advice = `open it with ${recorded.driver}, or ${own}`;
    throw refused(home, `layers of ${recorded.driver}, not of ${driver}: ${advice}`);
  }
  if (recorded.door !== door) throw throughOtherDoor(home, driver, recorded.door);
  if (recorded.squash && !squash)
    throw refused(home, `layers that an ordinary user keeps: open it as that user, or ${own}`);
  if (recorded.attributes === undefined || recorded.attributes === attributes) return;
  const where = recorded.attributes === "user." ? "in a user namespace" : "as root of the host";
  throw refused(home, `layers that ${driver} made ${where}, and that are misread elsewhere: open it there, or ${own}`);
}

function throughOtherDoor(home: string, driver: string, recorded: HomeDoor | undefined): CleatError {
  if (recorded === undefined) {
    return refused(home, `layers of ${driver} as a graph driver: give the snapshotter a root of its own`);
  }
  return refused(
    home,
    `a ${recorded}'s layers: serve it as one, or give ${driver} as a graph driver a home of its own`,
  );
}

/**
 * A store of Docker's own has no record; nor has one of containerd's. Folders that an open made which then failed are
 * empty.
 */
function assertNothingHeld(home: string, door: HomeDoor): void {
  const names = isThere(home) ? readdirSync(home).filter((name) => name !== ownFolder && !isOfFileSystem(name)) : [];
  const held = names.find((name) => !isEmptyFolder(`${home}/${name}`));
  if (held !== undefined) {
    throw refused(home, `"${held}", which no ${door} of Cleat's made: give the ${door} a root of its own`);
  }
}

function isEmptyFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true && readdirSync(path).length === 0;
}

function refused(home: string, holds: string): CleatError {
  return new CleatError("FAILED_PRECONDITION", `home "${home}" holds ${holds}`);
}

/**
 * Whole or not there, whenever this process or the machine dies. Once per home; a disk too full for it does not keep
 * shut a store from which something could be removed, and the next process to open the home writes it. A home with a
 * door holds nothing yet when it gets its record, and would be taken for Docker's without one.
 */
export function recordUse(home: string, use: HomeUse): void {
  if (readDriverRecord(home) !== undefined) return;
  try {
    const { driver, attributes, squash, door } = use;
    const text = `${JSON.stringify({ version: 1, driver, attributes, squash, door })}\n`;
    withFolderAt(home, (folder) => writeRecord(folder, ownFolder, basename(driverRecordFile), text, 0o600));
  } catch (error) {
    if (use.door !== undefined || toCleatError(error).code !== "RESOURCE_EXHAUSTED") throw error;
  }
}
