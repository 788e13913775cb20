import { setImmediate as nextTurn } from "node:timers/promises";
import { CleatError, toCleatError } from "../../errors/index.ts";
import { releaseAfter } from "../../errors/kit.ts";
import type { Connection } from "../../protocol/index.ts";
import type { Logger } from "../../transport/index.ts";
import type { ProcessIdentity } from "../../syscall/index.ts";
import type { GraphDriverMethods } from "../driver.ts";
import type { Durability, OpenOptions } from "../driver-factory.ts";
import { createPeerStreams, type PeerStreams } from "../streams/peer-streams.ts";
import { createDriverGate } from "./driver-gate.ts";
import { type Caller, createEngineBinding } from "./engine/binding.ts";
import { type Callers, createCallers } from "./engine/callers.ts";
import type { InitRecord, InitRequest, InitStore } from "./init-record.ts";
import { createHeldDriver, notInitialised, toOpenOptions } from "./held-driver.ts";
import { createKeptInit } from "./kept-init.ts";

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
  const kept = createKeptInit(state, logger);
  const peers = createPeerStreams();
  const gate = createDriverGate(peers);
  const held = createHeldDriver(options);
  let restored: Promise<void> | undefined;

  const inspect = (engine: ProcessIdentity) => {
    const driver = held.driver();
    if (driver !== undefined) callers.assertHomeSeen(engine, held.home(), driver.capabilities.mounts);
  };
  const binding = createEngineBinding({ callers, inspect, onSucceeded: (engine) => kept.note({ engine }) });

  const restore = () =>
    (restored ??= gate.alone(async () => {
      try {
        const record = await kept.load();
        if (record === undefined || record.released) return;
        binding.bind(homeAsked(record.init, options), { process: record.engine });
        const home = await held.open(record, true, record.home);
        if (record.home !== home) await kept.note({ home }); // the operator may have named another since
      } catch (error) {
        held.explainAbsence(becauseOf(error));
        logger.error({ err: error }, "graph driver could not be opened as it was before");
      }
    }));

  /** Where this fails there is no driver, and no home that a restart of the plugin would open. */
  const openAnew = async (asked: Pick<InitRecord, "init" | "host">, home: string, caller: Caller) => {
    try {
      await held.close(notInitialised());
    } catch (error) {
      logger.warn({ err: error }, "graph driver could not be closed before it is opened anew");
    }
    try {
      const opened = await held.open(asked, false);
      if (caller.process !== undefined) inspect(caller.process);
      await kept.replace({ version: 1, ...asked, home: opened, engine: caller.process });
      binding.bind(home, caller);
    } catch (error) {
      await held.close(becauseOf(error));
      throw error;
    }
  };

  return {
    restore,
    async init(request, connection, host) {
      void restore();
      const home = homeAsked(request, options);
      let caller = binding.identify(connection);
      const admit = async () => {
        caller = await binding.admitInit(home, caller);
      };
      await gate.alone(() => openAnew({ init: request, host }, home, caller), admit);
    },
    async cleanup(connection) {
      void restore();
      const caller = binding.identify(connection);
      await gate.alone(
        () =>
          releaseAfter(
            async () => held.driver()?.cleanup(),
            async () => {
              await held.close(notInitialised());
              binding.release();
              await kept.release();
            },
          ),
        () => binding.admitCleanup(caller),
      );
    },
    close() {
      restored ??= Promise.resolve();
      return gate.alone(async () => {
        await nextTurn(); // the last answers go out, and their calls are struck out, before the home may be another's
        await held.close(new CleatError("UNAVAILABLE", "graph driver is closed"));
      });
    },
    async use(connection, run) {
      void restore();
      const caller = binding.identify(connection);
      return gate.shared(async () => {
        await binding.admitCall(caller);
        return run(held.required());
      });
    },
    async look(run) {
      void restore();
      return gate.shared(async () => {
        return run(held.required());
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

function becauseOf(error: unknown): CleatError {
  const { code, message } = toCleatError(error);
  return new CleatError(code, `graph driver is not open: ${message}`, { cause: error });
}
