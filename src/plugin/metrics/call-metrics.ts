import { callChannel, type TracedCall } from "../../transport/index.ts";

/** What became of the calls of one method. */
export interface CallCounts {
  readonly subsystem: string;
  readonly method: string;
  /** "OK", or the code of the failure. */
  readonly outcome: string;
  readonly count: number;
  readonly sumSeconds: number;
  /** Of `bucketSeconds`, how many calls took no longer, without those of the ones before. */
  readonly buckets: readonly number[];
}

export interface CallMetrics {
  counts(): readonly CallCounts[];
  /** Calls that run now. */
  running(): number;
  /** Counts no more. */
  stop(): void;
}

/** From what is answered out of memory to Docker's longest patience, two minutes. */
export const bucketSeconds = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120] as const;

type Tally = { count: number; sumSeconds: number; buckets: number[] } & Pick<
  CallCounts,
  "subsystem" | "method" | "outcome"
>;

/**
 * Counts every call that this process answers, from now on. There are as many rows as methods have outcomes: what
 * strangers make up is one method, "?".
 */
export function countCalls(): CallMetrics {
  const tallies = new Map<string, Tally>();
  const begun = new Map<TracedCall, number>();
  const tallyOf = ({ subsystem, method, code }: TracedCall): Tally => {
    const outcome = code ?? "OK";
    const key = `${subsystem} ${method} ${outcome}`;
    const buckets = bucketSeconds.map(() => 0);
    const tally = tallies.get(key) ?? { subsystem, method, outcome, count: 0, sumSeconds: 0, buckets };
    tallies.set(key, tally);
    return tally;
  };
  const subscribers = {
    start: (call: TracedCall) => void begun.set(call, performance.now()),
    asyncEnd(call: TracedCall) {
      const startedMs = begun.get(call);
      if (startedMs === undefined) return; // it began before anybody counted
      begun.delete(call);
      const seconds = (performance.now() - startedMs) / 1000;
      const tally = tallyOf(call);
      tally.count++;
      tally.sumSeconds += seconds;
      const bucket = bucketSeconds.findIndex((limit) => seconds <= limit);
      if (bucket >= 0) tally.buckets[bucket] = (tally.buckets[bucket] ?? 0) + 1;
    },
    end() {},
    asyncStart() {},
    error() {},
  };
  callChannel.subscribe(subscribers);
  return {
    counts: () => [...tallies.values()],
    running: () => begun.size,
    stop: () => void callChannel.unsubscribe(subscribers),
  };
}
