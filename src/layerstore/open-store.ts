import { realpathSync } from "node:fs";
import { CleatError, toCleatError } from "../errors/index.ts";
import type { DiskUsage } from "../layer/index.ts";
import { createWorkerPool, type ModuleReference } from "../workers/index.ts";
import type { GraphDriverFactory } from "../graphdriver/index.ts";
import { describeStore, type StoreDescription } from "./describe-store.ts";
import {
  assertNotOfAnother,
  recognizeHome,
  type RepairReport,
  type StoreFinding,
  type StoreFindingKind,
  type StoreJobs,
} from "../graphdriver/kit.ts";
import * as inspectionJobs from "./inspection-jobs.ts";
import { findOrphans, findOrphansChildrenFirst, isRemovable } from "./orphans.ts";
import { withLock } from "./with-lock.ts";

/**
 * A store that is looked at, and mended, without being served. Methods may be called side by side, but for `repair`.
 */
export interface LayerStore extends AsyncDisposable {
  readonly driver: string;
  /** Absolute, symlinks resolved. */
  readonly home: string;
  /** Every layer, with what the engine knows of it. Costs a few small reads per layer. */
  describe(): Promise<StoreDescription>;
  /** What a layer takes of the disk; `undefined` for one that is gone. Costs a walk of it. */
  usage(id: string): Promise<DiskUsage | undefined>;
  /** What is wrong; of a store in use only what is not just passing. */
  check(): Promise<StoreCheck>;
  /**
   * Mends what can be mended without losing content; a second call finds nothing to mend.
   * @throws FAILED_PRECONDITION while the store is served, or its engine runs.
   */
  repair(consent?: RepairConsent): Promise<RepairReport>;
  /** Ends the threads. May be called twice. */
  close(): Promise<void>;
}

export interface StoreCheck {
  readonly findings: readonly StoreFinding[];
  /** Whether layers come and go: then nothing is said of what is being made and removed. */
  readonly inUse: boolean;
}

export interface RepairConsent {
  /** Removes layers whose parent is gone or that the engine, which must be there, does not know, with all they hold. */
  readonly removeOrphans?: boolean;
}

export interface OpenStoreOptions {
  readonly home: string;
  readonly drivers: readonly GraphDriverFactory[];
  /** Default: what the layout says. */
  readonly driver?: string | undefined;
  /** Where the engine keeps its data; default is the folder that holds the home. */
  readonly engineRoot?: string | undefined;
}

/**
 * Opens a store to look at. Nothing is read yet, and nothing locked.
 * @throws NOT_FOUND when the home is not a store, INVALID_ARGUMENT for a driver that is not known or keeps no store,
 * FAILED_PRECONDITION for one whose layers these are not, as another wrote down.
 */
export function openStore({ home: given, drivers, driver, engineRoot }: OpenStoreOptions): LayerStore {
  const home = resolveHome(given);
  const name = driver ?? recognizeHome(home);
  if (name === undefined) throw new CleatError("NOT_FOUND", `home ${JSON.stringify(given)} is not a store of a driver`);
  const jobs = drivers.find((factory) => factory.name === name)?.store;
  if (jobs !== undefined) {
    assertNotOfAnother(home, name);
    return createLayerStore(home, name, jobs, engineRoot);
  }
  throw new CleatError(
    "INVALID_ARGUMENT",
    `home ${JSON.stringify(home)} cannot be looked at: driver "${name}" is unknown, or keeps no store`,
  );
}

function resolveHome(home: string): string {
  try {
    return realpathSync(home);
  } catch (error) {
    throw toCleatError(error, `home ${JSON.stringify(home)}`);
  }
}

const inspection: ModuleReference<typeof inspectionJobs> = { url: inspectionJobs.moduleUrl };

function createLayerStore(
  home: string,
  driver: string,
  jobs: ModuleReference<StoreJobs>,
  engineRoot: string | undefined,
): LayerStore {
  const pool = createWorkerPool();
  const readEngine = (ids: readonly string[]) => pool.run(inspection, "readEngineRecords", home, ids, engineRoot);

  async function describe(): Promise<StoreDescription> {
    const survey = await pool.run(jobs, "surveyStore", home, driver);
    return describeStore(survey, await readEngine(survey.layers.map(({ id }) => id)));
  }

  async function withOrphans(damage: readonly StoreFinding[]): Promise<StoreFinding[]> {
    return [...damage, ...findOrphans(await describe(), damage)];
  }

  const look = async () => withOrphans(await pool.run(jobs, "checkStore", home));

  /** Those that lie on others first, so that a crash leaves no layer without its parent. */
  async function removeOrphans(damage: readonly StoreFinding[]): Promise<StoreFinding[]> {
    const removed = findOrphansChildrenFirst(await describe(), damage).filter(isRemovable);
    for (const { layer = "" } of removed) await pool.run(jobs, "removeLayer", home, layer);
    return removed.map((orphan) => ({ ...orphan, obstacle: undefined }));
  }

  return {
    driver,
    home,
    describe,
    usage: (id) => pool.run(jobs, "usageOfLayer", home, id),
    async check() {
      const inUse = await pool.run(inspection, "isInUse", home, (await readEngine([]))?.root);
      const findings = await look();
      if (!inUse || findings.length === 0) return { findings, inUse };
      const again = new Set((await look()).map(({ kind, path }) => `${kind} ${path}`));
      const stays = ({ kind, path }: StoreFinding): boolean => !passing.includes(kind) && again.has(`${kind} ${path}`);
      return { findings: findings.filter(stays), inUse };
    },
    async repair(consent = {}) {
      await pool.run(inspection, "assertAtRest", home, await pool.run(jobs, "layoutFolders"), await readEngine([]));
      return withLock(home, async () => {
        const { repaired, left } = await pool.run(jobs, "repairStore", home);
        if (consent.removeOrphans !== true) return { repaired, left: await withOrphans(left) };
        const removed = await removeOrphans(left);
        const after = await pool.run(jobs, "repairStore", home);
        return { repaired: [...repaired, ...removed, ...after.repaired], left: await withOrphans(after.left) };
      });
    },
    close: pool.close,
    [Symbol.asyncDispose]: pool.close,
  };
}

/** What every store shows that is being worked on. */
const passing: readonly StoreFindingKind[] = ["staged-left", "trash-left", "filling-left", "mark-left", "stale-mount"];
