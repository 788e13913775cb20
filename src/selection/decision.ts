/**
 * Which driver keeps layers in a place, when nobody names one. As Docker decides, and told in full, so that
 * `cleat doctor` prints what `openDriver` does:
 *
 * 1. Layers that are there already decide. If their driver does not work now, or is not among ours, or there are
 *    several, that is a refusal: otherwise an engine's images would seem to be gone.
 * 2. Else the first of the priority list that works there (on btrfs, `btrfs` before all), then whatever else is
 *    registered.
 *
 * Unlike Docker, which opens one driver after the other, all are asked what they need without opening a store; several
 * drivers' layers are refused whether or not the first of them works; and drivers beyond the list come in the order of
 * their registration, not at random. Source: moby v20.10.24 `daemon/graphdriver/driver.go` `New`.
 */
import { readlink, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CleatError, isSystemError, toCleatError, type UnsupportedError } from "../errors/index.ts";
import { withFolderAt } from "../layer/index.ts";
import { fileSystemName } from "../syscall/index.ts";
import { nativeDrivers, priority } from "../graphdriver/kit.ts";
import { priorDriversIn, priorDriversUnder } from "./prior-state.ts";
import type { ProbedFeature, ProbeReport } from "../graphdriver/index.ts";
import type { DriverRegistry } from "./registry.ts";

export interface DriverDecision {
  /** What was looked at: the place, or the nearest folder above that exists. */
  readonly folder: string;
  readonly fileSystem: string;
  /** Whose layers are there. */
  readonly prior: readonly string[];
  /** In the order of preference. */
  readonly candidates: readonly Candidate[];
  /** The drivers to open: the first that does not find out then that it is unsupported. Empty with a refusal. */
  readonly choices: readonly string[];
  /** Why none is chosen. */
  readonly refusal: CleatError | undefined;
}

export interface Candidate {
  readonly driver: string;
  /** Whether Cleat, or who made the registry, has this driver. */
  readonly registered: boolean;
  /** What is in the way; of a driver without a probe nothing is known before it is opened. */
  readonly obstacle: UnsupportedError | undefined;
  readonly probed: boolean;
  readonly features: readonly ProbedFeature[];
}

/** A root, where each driver has a home `ROOT/NAME`, or one home, as an engine names it to a plugin. Absolute. */
export type StorePlace = { readonly root: string } | { readonly home: string };

/**
 * Probes, but makes nothing. Costs about a tenth of a second.
 * @throws FAILED_PRECONDITION when something on the path is not a folder, or a symlink that leads nowhere,
 * PERMISSION_DENIED when it may not be read.
 */
export async function decideDriver(place: StorePlace, registry: DriverRegistry): Promise<DriverDecision> {
  const top = "root" in place ? place.root : place.home;
  const folder = await nearestFolder(top);
  await assertMakeable(top, folder);
  const fileSystem = fileSystemOf(folder);
  const prior = "root" in place ? await priorDriversUnder(top, registry.names) : await priorDriversIn(top);
  const order = orderByPreference(fileSystem, registry.names);
  const candidates = await Promise.all(
    order.map((driver) => toCandidate(driver, "root" in place ? join(top, driver) : top, registry)),
  );
  const decision = { folder, fileSystem, prior, candidates };
  const working = candidates.filter(({ registered, obstacle }) => registered && obstacle === undefined);
  const refusal = prior.length > 0 ? refusalOfPrior(top, prior, candidates) : refusalOfAll(folder, working, candidates);
  if (refusal !== undefined) return { ...decision, choices: [], refusal };
  return { ...decision, choices: prior.length > 0 ? prior : working.map(({ driver }) => driver), refusal };
}

function orderByPreference(fileSystem: string, registered: readonly string[]): string[] {
  const native = nativeDrivers[fileSystem];
  return [...new Set([...(native === undefined ? [] : [native]), ...priority, ...registered])];
}

async function toCandidate(driver: string, home: string, registry: DriverRegistry): Promise<Candidate> {
  const factory = registry.find(driver);
  const report: ProbeReport | undefined = await factory?.probe?.(await nearestFolder(home));
  return {
    driver,
    registered: factory !== undefined,
    probed: report !== undefined,
    obstacle: report?.obstacle,
    features: report?.features ?? [],
  };
}

function refusalOfPrior(
  top: string,
  prior: readonly string[],
  candidates: readonly Candidate[],
): CleatError | undefined {
  const holds = `"${top}" holds layers of`;
  const [driver = "", ...others] = prior;
  if (others.length > 0) {
    const advice = "name the driver to open, or remove what the others keep there";
    return new CleatError("FAILED_PRECONDITION", `${holds} several drivers, ${prior.join(", ")}: ${advice}`);
  }
  const candidate = candidates.find((one) => one.driver === driver);
  if (candidate?.registered !== true) {
    const advice = "use the program that made them, or name a driver to begin anew beside them";
    return new CleatError("FAILED_PRECONDITION", `${holds} ${driver}, a driver that is not built in: ${advice}`);
  }
  const { obstacle } = candidate;
  if (obstacle === undefined) return undefined;
  return new CleatError(obstacle.code, `${holds} ${driver}, which does not work now: ${obstacle.message}`, {
    cause: obstacle,
  });
}

function refusalOfAll(
  folder: string,
  working: readonly Candidate[],
  candidates: readonly Candidate[],
): CleatError | undefined {
  if (working.length > 0) return undefined;
  const reasons = candidates.flatMap(({ obstacle }) => (obstacle === undefined ? [] : [obstacle.message]));
  const told = reasons.length === 0 ? "none is registered" : reasons.join("; ");
  return new CleatError("UNIMPLEMENTED", `no graph driver works in "${folder}": ${told}`);
}

/** The path, or the nearest above it that is there. */
async function nearestFolder(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (error) {
    if (!isSystemError(error, "ENOENT", "ENOTDIR") || path === "/") throw toCleatError(error, `folder "${path}"`);
    return nearestFolder(dirname(path));
  }
}

/**
 * Nothing can be made where a symlink leads nowhere, as `prepareHome` would find out. `folder` is the nearest that is
 * there.
 */
async function assertMakeable(path: string, folder: string): Promise<void> {
  for (let missing = path; missing !== folder; missing = dirname(missing)) {
    const target = await readlink(missing).catch(() => undefined); // that it is not there is told
    if (target === undefined) continue;
    const leads = `is a symlink to ${JSON.stringify(target)}, which is not there`;
    throw new CleatError("FAILED_PRECONDITION", `folder ${JSON.stringify(missing)} ${leads}`);
  }
}

function fileSystemOf(folder: string): string {
  try {
    return withFolderAt(folder, fileSystemName);
  } catch (error) {
    throw toCleatError(error, `folder "${folder}"`);
  }
}
