import { dirname } from "node:path";
import { CleatError } from "../errors/index.ts";
import { withFolderAt } from "../layer/index.ts";
import { isThere } from "../syscall/index.ts";
import {
  driverRecordFile,
  findWrongFolders,
  ownFolder,
  readMountsBelow,
  stagingFolder,
  trashFolder,
} from "../graphdriver/kit.ts";
import type { EngineRecords } from "./engine-records.ts";
import { findUser } from "./who-uses.ts";

/**
 * Makes sure that nobody works on a store, but for those who would have Cleat's own lock. An engine whose built-in
 * driver has the store knows no such lock: nothing mounted, and no process with one of the engine's files open, tell
 * that it is at rest. Layers that are mounted are no obstacle to a store of Cleat's: they outlive the plugin, and
 * repairs let them be. `layoutFolders` are the driver's, by whose paths things are mended. Blocks.
 * @throws FAILED_PRECONDITION otherwise, and when a folder of the store is a symlink, or it is Podman's.
 */
export function assertAtRest(
  home: string,
  layoutFolders: readonly string[],
  engine: Pick<EngineRecords, "engine" | "root"> | undefined,
): void {
  const obstacle = wrongFolder(home, layoutFolders) ?? podman(engine) ?? user(home, engine) ?? mount(home);
  if (obstacle === undefined) return;
  throw new CleatError("FAILED_PRECONDITION", `home ${JSON.stringify(home)} cannot be repaired: ${obstacle}`);
}

function wrongFolder(home: string, layoutFolders: readonly string[]): string | undefined {
  const folders = [ownFolder, stagingFolder, trashFolder, ...layoutFolders];
  return withFolderAt(home, (folder) => findWrongFolders({ folder }, folders))[0]?.finding.problem;
}

function podman(engine: Pick<EngineRecords, "engine"> | undefined): string | undefined {
  return engine?.engine === "containers-storage" ? "it is Podman's own" : undefined;
}

function user(home: string, engine: Pick<EngineRecords, "root"> | undefined): string | undefined {
  const root = engine?.root ?? (isOurs(home) ? undefined : dirname(home));
  const found = root === undefined ? undefined : findUser(root);
  return found && `process ${found.pid} (${found.command}) has ${JSON.stringify(found.path)} open; stop it first`;
}

function mount(home: string): string | undefined {
  const [first] = isOurs(home) ? [] : readMountsBelow(home);
  return first && `${JSON.stringify(first.mountPoint)} is mounted; stop the engine and its containers first`;
}

/** Whether a driver of Cleat's has had it. A repair that was killed leaves the folder of its lock, and no record. */
export function isOurs(home: string): boolean {
  return isThere(`${home}/${driverRecordFile}`);
}
