/**
 * One engine, one store: whose calls a plugin takes. The engine that says `Init` opens the store of its home, and has
 * it until it says `Cleanup`; no other call of anybody else reaches that store, nor a call of that engine another one.
 *
 * An engine is its process. Where the kernel tells who calls (unix sockets of this PID namespace):
 *
 * - only that process may name layers, and say `Cleanup`, while it lives;
 * - once it is dead, whoever calls and never said `Init` for another home takes its place: what was behind a proxy that
 *   has ended, or whoever tries a plugin by hand, one process for each call;
 * - who listens where this plugin is looked for stands between it and engines (`cleat trace`), and is nobody itself.
 *
 * Whoever the kernel does not tell of is not an engine that it does tell of. Where it tells of none, only connections
 * are known: one by which a home was used is of no use for another. An engine's first call by a new connection cannot
 * be told from another engine's there.
 */
import { CleatError } from "../../../errors/index.ts";
import type { Connection } from "../../../protocol/index.ts";
import type { Callers } from "./callers.ts";
import { isSameHome, resolveHome } from "./homes.ts";
import { createSaidHomes } from "./said-homes.ts";
import { describeProcess, isSameProcess, type ProcessIdentity } from "../../../syscall/index.ts";

/** Who calls. */
export interface Caller {
  readonly connection: Connection | undefined;
  readonly process: ProcessIdentity | undefined;
  /** Whether it may be anybody, behind who stands between. */
  readonly isBehindProxy?: boolean;
}

export interface EngineBinding {
  /** @throws CANCELLED when the process that calls has ended. */
  identify(connection: Connection | undefined): Caller;
  /**
   * Whether the caller may open the store of `home`, as engines call it. Returns who it is.
   * @throws FAILED_PRECONDITION when the plugin serves another home, or another engine that lives.
   */
  admitInit(home: string, caller: Caller): Promise<Caller>;
  /** The store of `home` is open, and this caller's. */
  bind(home: string, caller: Pick<Caller, "process"> & Partial<Caller>): void;
  /** @throws FAILED_PRECONDITION when the caller is not the engine whose store is open. */
  admitCleanup(caller: Caller): Promise<void>;
  /** The engine has let go of its store. */
  release(): void;
  /**
   * @throws FAILED_PRECONDITION when the caller is not the engine whose store is open, or does not see the driver's
   * mounts.
   */
  admitCall(caller: Caller): Promise<void> | undefined;
  /** From here on it is known who stands between. */
  listensOn(path: string): void;
}

export interface EngineBindingOptions {
  readonly callers: Callers;
  /**
   * Called for each connection of the engine before its first call is let through; throws what is to be answered
   * instead.
   */
  readonly inspect: (engine: ProcessIdentity) => void;
  /** The engine is another process now. */
  readonly onSucceeded: (engine: ProcessIdentity) => Promise<void>;
}

interface Store {
  readonly home: string;
  /** Undefined where it is not known. */
  readonly engine: ProcessIdentity | undefined;
}

export function createEngineBinding({ callers, inspect, onSucceeded }: EngineBindingOptions): EngineBinding {
  let store: Store | undefined;
  let listeningOn: string | undefined;
  /** The last process that was found listening there instead. */
  let proxy: ProcessIdentity | undefined;
  const homes = createSaidHomes(callers);
  const admitted = new WeakMap<Connection, Store>();

  /**
   * Without the process where that only stands between. What it has taken before it went away is still to come then.
   */
  const seeThrough = async (caller: Caller): Promise<Caller> => {
    const { process: from } = caller;
    if (from === undefined || from.pid === process.pid) return caller;
    const isProxy = proxy !== undefined && isSameProcess(proxy, from);
    if (!isProxy && (listeningOn === undefined || (await callers.listenerOn(listeningOn)) !== from.pid)) return caller;
    proxy = from;
    return { ...caller, process: undefined, isBehindProxy: true };
  };

  const isEngine = ({ process: from }: Caller, { engine }: Store): boolean =>
    from !== undefined && engine !== undefined && isSameProcess(from, engine);

  /** Another one while the engine lives. */
  const isIntruder = (caller: Caller, open: Store): boolean =>
    caller.connection !== undefined &&
    caller.isBehindProxy !== true &&
    !isEngine(caller, open) &&
    open.engine !== undefined &&
    callers.isRunning(open.engine);

  const assertEngine = (caller: Caller, open: Store, what: string) => {
    if (isEngine(caller, open)) return;
    const home = homes.of(caller);
    if (home !== undefined && home !== open.home) {
      throw refused(`${what} of an engine with home "${home}"`, open, callers);
    }
    if (isIntruder(caller, open)) throw refused(`${what} of ${describeCaller(caller)}`, open, callers);
  };

  const admitNew = async (caller: Caller): Promise<void> => {
    const known = store !== undefined && isEngine(caller, store) ? caller : await seeThrough(caller);
    if (store === undefined) return;
    assertEngine(known, store, "a call");
    if (known.process !== undefined) {
      inspect(known.process);
      if (!isEngine(known, store)) {
        store = { ...store, engine: known.process };
        await onSucceeded(known.process);
      }
    }
    if (known.connection === undefined) return;
    homes.note({ connection: known.connection }, store.home);
    admitted.set(known.connection, store);
  };

  return {
    identify(connection) {
      return { connection, process: connection === undefined ? undefined : callers.processOf(connection) };
    },
    async admitInit(said, caller) {
      const known = await seeThrough(caller);
      if (store === undefined) return known;
      const isSame = isSameHome(store.home, said);
      if (isSame && !isIntruder(known, store)) return known;
      if (!isEngine(known, store)) homes.noteRefused(known, isSame ? store.home : resolveHome(said));
      throw refused(`home "${said}"`, store, callers);
    },
    bind(said, { connection, process: engine }) {
      const home = store !== undefined && isSameHome(store.home, said) ? store.home : resolveHome(said);
      store = { home, engine };
      homes.note({ connection, process: engine }, home);
    },
    async admitCleanup(caller) {
      if (store === undefined || isEngine(caller, store)) return;
      const known = await seeThrough(caller);
      if (store !== undefined) assertEngine(known, store, "Cleanup");
    },
    release() {
      store = undefined;
    },
    admitCall(caller) {
      const { connection } = caller;
      if (store === undefined || (connection !== undefined && admitted.get(connection) === store)) return undefined;
      return admitNew(caller);
    },
    listensOn(path) {
      listeningOn = path;
    },
  };
}

function describeCaller({ process: from }: Caller): string {
  return from === undefined ? "another caller" : describeProcess(from);
}

const ownPlugin =
  "a second engine wants a plugin of its own: cleat serve graph --name other, and the engine's -s other";

function refused(what: string, { home, engine }: Store, { isRunning }: Callers): CleatError {
  const isDead = engine !== undefined && !isRunning(engine);
  const owner = engine === undefined ? "its engine" : isDead ? `process ${engine.pid}` : describeProcess(engine);
  const state = isDead ? "which has ended without Cleanup" : "which has not said Cleanup";
  const release = "if the first one will not come back, let go of its home: cleat call NAME GraphDriver.Cleanup";
  const remedy = engine !== undefined && !isDead ? ownPlugin : `${ownPlugin}; ${release}`;
  const message = `${what} is refused: this plugin serves home "${home}" of ${owner}, ${state}; ${remedy}`;
  return new CleatError("FAILED_PRECONDITION", message);
}
