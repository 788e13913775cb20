/**
 * Where a job's bytes leave the process without passing the event loop: the descriptor of whoever reads its stream is
 * lent to the job, once all that went before has left, and called back for a reader who keeps others waiting.
 */
import type { Sink } from "../../../protocol/kit.ts";
import { close, duplicate, hasDescriptorsToSpare } from "../../../syscall/index.ts";
import { changeOf, LENT, LOAN, NEXT_BYTES, outletStates, type Ring } from "../ring/control.ts";
import { peerSilentMs } from "../peers/peer-watch.ts";
import { createAsyncRingReader } from "../ring/async-ends.ts";

export interface Outlet {
  /** The job has its ring, and no thread touches that any more when `over` has resolved. */
  begin(ring: Ring, over: Promise<unknown>): void;
  /** The job stands still until it is lent a descriptor; resolves when it goes on. False when nobody reads any more. */
  stand(): Promise<boolean>;
  /** Whether somebody has to lend a descriptor now. */
  isAwaited(): boolean;
  /** Somebody would lend one: the job is to stand still. */
  ask(): void;
  /**
   * Lends what `sink` gives, and resolves when it has come back, or was not to be had, with what has to be written
   * there before anything else.
   */
  lendTo(sink: Sink): Promise<Uint8Array>;
  /** The job writes into its ring from now on. */
  recall(): void;
  /** For how long the job has waited for who reads. */
  stalledMs(): number;
  /** Nobody reads any more. */
  close(): void;
  /** The job is over, and its ring another's. */
  end(): void;
}

/** `onAwaited` is called when the job stands still. */
export function createOutlet(onAwaited: () => void): Outlet {
  const { none, asked, standing, lent, recalled, returned } = outletStates;
  let ring: Ring | undefined;
  let over: Promise<unknown> = Promise.resolve();
  let isAsked = false;
  let isRecalled = false;
  let isClosed = false;
  let standingMs: number | undefined;
  let goOn: (isRead: boolean) => void = () => {};

  function change(from: number, to: number): boolean {
    if (ring === undefined || Atomics.compareExchange(ring.control, LOAN, from, to) !== from) return false;
    Atomics.notify(ring.control, LOAN);
    return true;
  }

  function settle(isRead: boolean): void {
    standingMs = undefined;
    goOn(isRead);
  }

  function refuse(): void {
    change(asked, none);
    change(standing, none);
    settle(true);
  }

  /** Until the job has given it back, or is over. What it leaves of a frame is the sink's to write. */
  async function awaitReturn(from: Ring): Promise<Uint8Array> {
    let isOver = false;
    const ended = over.then(() => (isOver = true));
    for (;;) {
      const state = Atomics.load(from.control, LOAN);
      if (state === returned) {
        const rest = Uint8Array.from(from.data.subarray(0, Atomics.load(from.control, NEXT_BYTES)));
        change(returned, none);
        return rest;
      }
      if (isOver) return nothing; // its thread died, and the stream fails
      await Promise.race([changeOf(from, LOAN, state), ended]);
    }
  }

  return {
    begin(job, end) {
      ring = job;
      over = end;
      if (isAsked && !isRecalled) change(none, asked);
    },
    async stand() {
      if (isClosed) return false;
      if (isRecalled) {
        refuse();
        return true;
      }
      standingMs = performance.now();
      const going = new Promise<boolean>((resolve) => (goOn = resolve));
      onAwaited();
      return going;
    },
    isAwaited: () => standingMs !== undefined,
    ask() {
      isAsked = true;
      if (!isRecalled) change(none, asked);
    },
    async lendTo(sink) {
      const from = ring as Ring;
      const descriptor = await sink.flush();
      const copy = descriptor === undefined || isRecalled || isClosed ? undefined : tryDuplicate(descriptor);
      let rest: Uint8Array = nothing;
      if (copy === undefined) refuse();
      else {
        standingMs = undefined;
        Atomics.store(from.control, LENT, copy);
        if (change(standing, lent)) rest = await awaitReturn(from);
        close(copy);
      }
      settle(!isClosed);
      return rest;
    },
    recall() {
      isRecalled = true;
      if (standingMs !== undefined) refuse();
      else if (!change(asked, none)) change(lent, recalled);
    },
    stalledMs() {
      if (standingMs !== undefined) return performance.now() - standingMs;
      return ring !== undefined && Atomics.load(ring.control, LOAN) === lent ? peerSilentMs(ring.control) : 0;
    },
    close() {
      isClosed = true;
      if (ring !== undefined) createAsyncRingReader(ring).leave();
      if (standingMs !== undefined) settle(false);
    },
    end() {
      ring = undefined;
    },
  };
}

const nothing = new Uint8Array(0);

/** Without a descriptor to spare the bytes go as they did. */
function tryDuplicate(descriptor: number): number | undefined {
  try {
    return hasDescriptorsToSpare() ? duplicate(descriptor) : undefined;
  } catch {
    return undefined;
  }
}
