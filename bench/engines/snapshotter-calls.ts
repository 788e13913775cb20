import { resolve } from "node:path";
import type { Namespace } from "../../test/harness/namespaces/namespace.ts";
import { type Aim, median, type Measurement } from "../measuring/measure.ts";
import { processorMs } from "../measuring/processor-time.ts";

/** Whom `calls.mjs` calls. */
export interface Peer<Name extends string> {
  readonly name: Name;
  readonly socket: string;
  /** Where the peer is containerd: which of its snapshotters. */
  readonly snapshotter?: string;
  /** The processes that answer. */
  readonly pids: readonly number[];
}

/** What `calls.mjs` times of each call. */
interface Figures {
  readonly medianUs: number;
  readonly p99Us: number;
}

/** What one round came to, by the call. */
export interface RoundTimes {
  readonly calls: Readonly<Record<string, Figures>>;
  /** Of all processes that answered, for all of the round. */
  readonly processorMs: number;
}

/** JavaScript, because it runs on the built package, which the compiler of the benchmarks does not know. */
const program = resolve("bench/engines/calls.mjs");

export async function runPart<Result>(
  { run }: Namespace,
  { socket, snapshotter }: Pick<Peer<string>, "socket" | "snapshotter">,
  part: "calls" | "commits" | "fill" | "list" | "empty",
  count: number,
  files = 0,
  from = 0,
): Promise<Result> {
  const request = JSON.stringify({ socket, snapshotter, part, count, files, from });
  return JSON.parse(await run([process.execPath, program, request])) as Result;
}

export async function timeRound(
  namespace: Namespace,
  peer: Peer<string>,
  part: "calls" | "commits",
  count: number,
  files = 0,
): Promise<RoundTimes> {
  const processor = async () => (await Promise.all(peer.pids.map(processorMs))).reduce((sum, one) => sum + one, 0);
  const before = await processor();
  const calls = await runPart<RoundTimes["calls"]>(namespace, peer, part, count, files);
  return { calls, processorMs: (await processor()) - before };
}

/** One row: a call of one peer beside a call of another, which may be another call. */
export interface ComparedCall extends Aim {
  readonly title: string;
  readonly subject: string;
  readonly call: string;
  readonly reference: string;
  readonly referenceCall?: string;
  /** What the table calls the reference; default its name. */
  readonly beside?: string;
}

/** The medians of all rounds, and their 99th percentiles. What is aimed at is of medians. */
export function compareCall(
  times: ReadonlyMap<string, readonly RoundTimes[]>,
  { title, subject, call, reference, referenceCall = call, beside = reference, ...aim }: ComparedCall,
): Measurement[] {
  const row = (name: string, figure: keyof Figures, rowAim: Aim = {}): Measurement => {
    const of = (peer: string, which: string) => median(times.get(peer)!.map(({ calls }) => calls[which]![figure]));
    const value = of(reference, referenceCall);
    return { name, unit: "µs", cleat: of(subject, call), reference: { name: beside, value }, ...rowAim };
  };
  return [row(title, "medianUs", aim), row(`${title}, 99th percentile`, "p99Us")];
}

export function compareProcessorTime(
  times: ReadonlyMap<string, readonly RoundTimes[]>,
  { title, subject, reference }: Pick<ComparedCall, "title" | "subject" | "reference">,
): Measurement {
  const of = (peer: string) => median(times.get(peer)!.map((round) => round.processorMs));
  const name = `${title}, processor time`;
  return { name, unit: "ms", cleat: of(subject), reference: { name: reference, value: of(reference) } };
}
