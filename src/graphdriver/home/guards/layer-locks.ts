import { CleatError } from "../../../errors/index.ts";

/**
 * Who may do what with a layer at one time. Calls that change it run one after another; those that only read it run
 * side by side, and neither while it is changed. Turns come in the order in which they were asked for.
 *
 * What streams to a peer takes no turn, since a peer that is silent would keep the layer from being removed: it looks
 * afterwards whether what it read was changed meanwhile (`unlessChanged`).
 */
export interface LayerLocks {
  /** Runs `work` alone on the layer, when all earlier calls for it are done, whatever became of them. */
  withLock<T>(id: string, work: () => Promise<T>): Promise<T>;
  /** Runs `work` while nobody changes the layer. */
  whileUnchanged<T>(id: string, work: () => Promise<T>): Promise<T>;
  /** Runs `work` alone on a layer that is being made, while nobody changes the one that it is to lie on. */
  withChild<T>(id: string, parent: string | undefined, work: () => Promise<T>): Promise<T>;
  /**
   * The same locks for a caller who may give up while it waits: that rejects with CANCELLED, and nobody else waits for
   * it.
   */
  within(signal: AbortSignal | undefined): LayerLocks;
  /** What is being read of the layer from here on tells of two states of it. For whoever has the lock. */
  markChanged(id: string): void;
  /**
   * Runs `work`, which reads layers and takes no turn.
   * @throws ABORTED when one of them was changed or removed before it had ended, whatever became of it.
   */
  unlessChanged<T>(ids: readonly (string | undefined)[], work: () => Promise<T>): Promise<T>;
  /** Resolves when nothing is running or waiting any more. */
  idle(): Promise<void>;
}

interface Turn {
  readonly shared: boolean;
  readonly done: Promise<void>;
}

/** A call of `unlessChanged` that runs. */
interface Reading {
  readonly ids: readonly (string | undefined)[];
  changed: string | undefined;
}

/** `onAsked` is told of each turn that is asked for. */
export function createLayerLocks(onAsked: () => void = () => {}): LayerLocks {
  const turns = new Map<string, readonly Turn[]>();
  const readings = new Set<Reading>();

  async function take<T>(
    id: string,
    shared: boolean,
    work: () => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    onAsked();
    const earlier = turns.get(id) ?? [];
    let finish!: () => void;
    const turn: Turn = { shared, done: new Promise((resolve) => (finish = resolve)) };
    turns.set(id, [...earlier, turn]);
    try {
      const inTheWay = earlier.filter((other) => !(shared && other.shared));
      if (inTheWay.length > 0) await unlessGivenUp(Promise.all(inTheWay.map(({ done }) => done)), id, signal);
      return await work();
    } finally {
      const left = turns.get(id)?.filter((other) => other !== turn) ?? [];
      if (left.length > 0) turns.set(id, left);
      else turns.delete(id);
      finish();
    }
  }

  const inTurn = (signal?: AbortSignal): Pick<LayerLocks, "withLock" | "whileUnchanged" | "withChild"> => ({
    withLock: (id, work) => take(id, false, work, signal),
    whileUnchanged: (id, work) => take(id, true, work, signal),
    withChild(id, parent, work) {
      if (parent === undefined || parent === id) return take(id, false, work, signal);
      // In one order, whoever is whose parent: two layers that are made on each other would wait for each other for
      // good.
      return id < parent
        ? take(id, false, () => take(parent, true, work, signal), signal)
        : take(parent, true, () => take(id, false, work, signal), signal);
    },
  });

  const locks: LayerLocks = {
    ...inTurn(),
    within: (signal) => (signal === undefined ? locks : { ...locks, ...inTurn(signal) }),
    markChanged(id) {
      for (const reading of readings) if (reading.ids.includes(id)) reading.changed = id;
    },
    async unlessChanged(ids, work) {
      const reading: Reading = { ids, changed: undefined };
      readings.add(reading);
      const [outcome] = await Promise.allSettled([work()]);
      readings.delete(reading);
      if (reading.changed !== undefined) throw changedMeanwhile(reading.changed, outcome);
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    },
    async idle() {
      while (turns.size > 0) await Promise.all([...turns.values()].flat().map(({ done }) => done));
    },
  };
  return locks;
}

/** Waits for others' turns, or for the signal. */
async function unlessGivenUp(turns: Promise<unknown>, id: string, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return void (await turns);
  await new Promise<void>((resolve, reject) => {
    const giveUp = (): void =>
      reject(new CleatError("CANCELLED", `wait for layer "${id}" was given up`, { cause: signal.reason }));
    if (signal.aborted) return giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    void turns.then(() => resolve()).finally(() => signal.removeEventListener("abort", giveUp));
  });
}

function changedMeanwhile(id: string, outcome: PromiseSettledResult<unknown>): CleatError {
  const cause = outcome.status === "rejected" ? { cause: outcome.reason as unknown } : {};
  return new CleatError("ABORTED", `layer "${id}" was changed or removed while it was read`, cause);
}
