import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import type { Logger } from "../../transport/index.ts";
import type { Durability, GraphDriver, GraphDriverFactory, OpenOptions } from "../driver.ts";
import { createDriverGate } from "./driver-gate.ts";
import { type InitRecord, type InitRequest, type InitStore, parseInitRecord } from "./init-record.ts";
import { fromWireIdMap } from "./wire-shapes.ts";

export interface DriverHolderOptions {
  readonly open: GraphDriverFactory["open"];
  /** Where layers are kept, whatever the engine says. Default: the engine's `Home`. */
  readonly home?: string;
  /** Where layers are kept for an engine that names no `Home`; without it such an `Init` is refused. */
  readonly defaultHome?: string;
  /** The operator's options, before the engine's. */
  readonly options?: readonly string[];
  readonly durability?: Durability;
  /** Where the last `Init` survives a crash of this process; without it the engine must be restarted after one. */
  readonly state?: InitStore;
  readonly logger: Logger;
}

/** Holds the driver between `Init` and `Cleanup`, or the reason why there is none. */
export interface DriverHolder {
  /** Opens the driver that an earlier process had open. Never rejects: calls report what went wrong. */
  restore(): Promise<void>;
  init(request: InitRequest): Promise<void>;
  cleanup(): Promise<void>;
  close(): Promise<void>;
  /** @throws FAILED_PRECONDITION when there is no driver. */
  use<T>(run: (driver: GraphDriver) => Promise<T>): Promise<T>;
}

export function createDriverHolder(options: DriverHolderOptions): DriverHolder {
  const { state, logger } = options;
  const gate = createDriverGate();
  let driver: GraphDriver | undefined;
  let absence = notInitialised();
  let record: InitRecord | undefined;

  /** Returns where the layers are, if the driver keeps them in its home. */
  const open = async (request: InitRequest, resume: boolean): Promise<string | undefined> => {
    const openOptions = { ...toOpenOptions(request, options), resume };
    const { home } = openOptions;
    await assertFolder(home, resume && record?.home === home);
    driver = await options.open(openOptions);
    logger.info({ driver: driver.name, home }, "graph driver opened");
    return existsSync(home) ? home : undefined;
  };
  const closeDriver = async (reason: CleatError) => {
    const closing = driver;
    driver = undefined;
    absence = reason;
    await closing?.close();
  };

  /** On a disk too full to say so, that the next process opens nothing matters more than where stores are. */
  const release = async () => {
    if (record === undefined) return state?.clear();
    await state?.save({ ...record, released: true }).catch(() => state.clear());
  };

  /** The operator may have named another since. */
  const noteHome = async (known: InitRecord, home: string | undefined) => {
    if (known.home === home) return;
    record = { ...known, home };
    await state?.save(record).catch((error: unknown) => {
      logger.warn({ err: error, home }, "where the layers are could not be written down");
    });
  };

  return {
    restore: () =>
      gate.alone(async () => {
        try {
          const saved = await state?.load();
          if (saved === undefined) return;
          record = parseInitRecord(saved);
          if (!record.released) await noteHome(record, await open(record.init, true));
        } catch (error) {
          absence = becauseOf(error);
          logger.error({ err: error }, "graph driver could not be opened as it was before");
        }
      }),
    init: (request) =>
      gate.alone(async () => {
        try {
          await closeDriver(notInitialised());
        } catch (error) {
          logger.warn({ err: error }, "graph driver could not be closed before it is opened anew");
        }
        try {
          const home = await open(request, false);
          record = { version: 1, init: request, home };
          await state?.save(record);
        } catch (error) {
          await closeDriver(becauseOf(error));
          throw error;
        }
      }),
    cleanup: () =>
      gate.alone(async () => {
        try {
          await driver?.cleanup();
        } finally {
          await closeDriver(notInitialised());
          await release();
        }
      }),
    close: () => gate.alone(() => closeDriver(new CleatError("UNAVAILABLE", "graph driver is closed"))),
    use: (run) =>
      gate.shared(async () => {
        if (driver === undefined) throw absence;
        return run(driver);
      }),
  };
}

function toOpenOptions(request: InitRequest, options: DriverHolderOptions): OpenOptions {
  const home = options.home ?? (request.Home || options.defaultHome);
  if (home === undefined) throw new CleatError("INVALID_ARGUMENT", "Init names no Home, and no default is set");
  if (!isAbsolute(home)) throw new CleatError("INVALID_ARGUMENT", `home "${home}" is not an absolute path`);
  return {
    home,
    options: [...(options.options ?? []), ...request.Opts],
    uidMaps: request.UIDMaps.map(fromWireIdMap),
    gidMaps: request.GIDMaps.map(fromWireIdMap),
    ...(options.durability !== undefined && { durability: options.durability }),
    logger: options.logger,
  };
}

/** A home that held an engine's layers, and is gone, may lie on a disk that is not mounted yet: nothing is made in its place. */
async function assertFolder(home: string, mustExist: boolean): Promise<void> {
  try {
    if ((await stat(home)).isDirectory()) return;
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw toCleatError(error, `home "${home}"`);
    if (!mustExist) return; // the driver makes it
    throw new CleatError("FAILED_PRECONDITION", `home "${home}", which held the layers, is gone`);
  }
  throw new CleatError("FAILED_PRECONDITION", `home "${home}" is not a folder`);
}

function notInitialised(): CleatError {
  return new CleatError("FAILED_PRECONDITION", "graph driver is not initialised; the engine sends Init first");
}

function becauseOf(error: unknown): CleatError {
  const { code, message } = toCleatError(error);
  return new CleatError(code, `graph driver is not open: ${message}`, { cause: error });
}
