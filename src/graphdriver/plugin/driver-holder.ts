import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import type { Connection } from "../../protocol/index.ts";
import { assertMethods, type Logger } from "../../transport/index.ts";
import type { GraphDriverMethods } from "../driver.ts";
import type { Durability, OpenOptions } from "../driver-factory.ts";
import { createPeerStreams, type PeerStreams } from "../peer-streams.ts";
import { createDriverGate } from "./driver-gate.ts";
import { createEngineBinding } from "./engine/binding.ts";
import { type Callers, createCallers } from "./engine/callers.ts";
import { type InitRecord, type InitRequest, type InitStore, parseInitRecord } from "./init-record.ts";
import type { ProcessIdentity } from "./engine/process.ts";
import { fromWireIdMap } from "./wire-shapes.ts";

export interface DriverHolderOptions {
  readonly open: (options: OpenOptions) => Promise<GraphDriverMethods>;
  /** Where layers are kept, whatever the engine says. Default: the engine's `Home`. */
  readonly home?: string;
  /** Where layers are kept for an engine that names no `Home`; without it such an `Init` is refused. */
  readonly defaultHome?: string;
  /** The operator's options, before the engine's. */
  readonly options?: readonly string[];
  /** Options that follow from an engine's `Host` header, before all others, which override them. Default: none. */
  readonly optionsForHost?: (host: string | undefined) => readonly string[];
  readonly durability?: Durability;
  /** Where the last `Init` survives a crash of this process; without it the engine must be restarted after one. */
  readonly state?: InitStore;
  /** Who calls; default what the kernel says. */
  readonly callers?: Callers;
  readonly logger: Logger;
}

/**
 * Holds the driver between `Init` and `Cleanup`, or the reason why there is none; and the engine whose it is
 * (`engine/binding.ts`). The first call, whichever it is, restores.
 */
export interface DriverHolder {
  /** Opens the driver that an earlier process had open, once. Never rejects: calls report what went wrong. */
  restore(): Promise<void>;
  /**
   * A refused one changes nothing, and waits for no running call.
   * @throws FAILED_PRECONDITION when the driver is open for another home, or for another engine that lives.
   */
  init(request: InitRequest, connection?: Connection, host?: string): Promise<void>;
  /** @throws FAILED_PRECONDITION when the driver is open for another engine that lives. */
  cleanup(connection?: Connection): Promise<void>;
  close(): Promise<void>;
  /** Of the engine: @throws FAILED_PRECONDITION when there is no driver, or somebody else has it. */
  use<T>(connection: Connection | undefined, run: (driver: GraphDriverMethods) => Promise<T>): Promise<T>;
  /** Of anybody, about the driver as a whole: @throws FAILED_PRECONDITION when there is none. */
  look<T>(run: (driver: GraphDriverMethods) => Promise<T>): Promise<T>;
  /** What an engine sends, for a call of `use`. */
  readonly receive: PeerStreams["receive"];
  /** Where engines find the plugin's socket. */
  listensOn(path: string): void;
}

export function createDriverHolder(options: DriverHolderOptions): DriverHolder {
  const { state, logger, callers = createCallers() } = options;
  const peers = createPeerStreams();
  const gate = createDriverGate(peers);
  let driver: GraphDriverMethods | undefined;
  let absence = notInitialised();
  let record: InitRecord | undefined;
  let openHome = "";
  let restored: Promise<void> | undefined;

  /** Returns where the layers are, if the driver keeps them in its home. */
  const open = async (
    { init, host }: Pick<InitRecord, "init" | "host">,
    resume: boolean,
  ): Promise<string | undefined> => {
    const openOptions = { ...toOpenOptions(init, options, host), resume };
    const { home } = openOptions;
    await assertFolder(home, resume && record?.home === home);
    const opened = await options.open(openOptions);
    assertMethods(opened, driverMethods, "graph driver that was opened");
    driver = opened;
    openHome = home;
    logger.info({ driver: driver.name, home }, "graph driver opened");
    return existsSync(home) ? home : undefined;
  };
  const inspect = (engine: ProcessIdentity) => {
    if (driver !== undefined) callers.assertHomeSeen(engine, openHome, driver.capabilities.mounts);
  };
  const closeDriver = async (reason: CleatError) => {
    const closing = driver;
    driver = undefined;
    absence = reason;
    await closing?.close();
  };

  /** On a disk too full to say so, that the next process opens nothing matters more than where stores are. */
  const release = async () => {
    binding.release();
    if (record === undefined) return state?.clear();
    const { engine: _, ...known } = record;
    await state?.save({ ...known, released: true }).catch(() => state.clear());
  };

  /** What has changed without an `Init`. */
  const note = async (changed: Partial<InitRecord>) => {
    if (record === undefined) return;
    record = { ...record, ...changed };
    await state?.save(record).catch((error: unknown) => {
      logger.warn({ err: error, ...changed }, "what the plugin serves, and to whom, could not be written down");
    });
  };
  const binding = createEngineBinding({ callers, inspect, onSucceeded: (engine) => note({ engine }) });

  const restore = () =>
    (restored ??= gate.alone(async () => {
      try {
        const saved = await state?.load();
        if (saved === undefined) return;
        record = parseInitRecord(saved);
        if (record.released) return;
        binding.bind(homeAsked(record.init, options), { process: record.engine });
        const home = await open(record, true);
        if (record.home !== home) await note({ home }); // the operator may have named another since
      } catch (error) {
        absence = becauseOf(error);
        logger.error({ err: error }, "graph driver could not be opened as it was before");
      }
    }));

  return {
    restore,
    async init(request, connection, host) {
      void restore();
      const home = homeAsked(request, options);
      let caller = binding.identify(connection);
      const admit = async () => {
        caller = await binding.admitInit(home, caller);
      };
      await gate.alone(async () => {
        try {
          await closeDriver(notInitialised());
        } catch (error) {
          logger.warn({ err: error }, "graph driver could not be closed before it is opened anew");
        }
        try {
          const opened = await open({ init: request, host }, false);
          if (caller.process !== undefined) inspect(caller.process);
          record = { version: 1, init: request, host, home: opened, engine: caller.process };
          await state?.save(record);
          binding.bind(home, caller);
        } catch (error) {
          await closeDriver(becauseOf(error));
          throw error;
        }
      }, admit);
    },
    async cleanup(connection) {
      void restore();
      const caller = binding.identify(connection);
      await gate.alone(
        async () => {
          try {
            await driver?.cleanup();
          } finally {
            await closeDriver(notInitialised());
            await release();
          }
        },
        () => binding.admitCleanup(caller),
      );
    },
    close() {
      restored ??= Promise.resolve();
      return gate.alone(() => closeDriver(new CleatError("UNAVAILABLE", "graph driver is closed")));
    },
    async use(connection, run) {
      void restore();
      const caller = binding.identify(connection);
      return gate.shared(async () => {
        await binding.admitCall(caller);
        if (driver === undefined) throw absence;
        return run(driver);
      });
    },
    async look(run) {
      void restore();
      return gate.shared(async () => {
        if (driver === undefined) throw absence;
        return run(driver);
      });
    },
    receive: peers.receive,
    listensOn: binding.listensOn,
  };
}

/** The home by which an engine is known, wherever the operator has its layers kept. */
function homeAsked(request: InitRequest, options: DriverHolderOptions): string {
  return request.Home || options.defaultHome || toOpenOptions(request, options, undefined).home;
}

/** What the protocol asks of one. */
const driverMethods: readonly (keyof GraphDriverMethods)[] = [
  "create",
  "createReadWrite",
  "remove",
  "get",
  "put",
  "exists",
  "status",
  "metadata",
  "diff",
  "changes",
  "applyDiff",
  "diffSize",
  "cleanup",
  "close",
];

function toOpenOptions(request: InitRequest, options: DriverHolderOptions, host: string | undefined): OpenOptions {
  const home = options.home ?? (request.Home || options.defaultHome);
  if (home === undefined) throw new CleatError("INVALID_ARGUMENT", "Init names no Home, and no default is set");
  if (!isAbsolute(home)) throw new CleatError("INVALID_ARGUMENT", `home "${home}" is not an absolute path`);
  return {
    home,
    options: [...(options.optionsForHost?.(host) ?? []), ...(options.options ?? []), ...request.Opts],
    uidMaps: request.UIDMaps.map(fromWireIdMap),
    gidMaps: request.GIDMaps.map(fromWireIdMap),
    ...(options.durability !== undefined && { durability: options.durability }),
    logger: options.logger,
  };
}

/**
 * A home that held an engine's layers, and is gone, may lie on a disk that is not mounted yet: nothing is made in its
 * place.
 */
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
