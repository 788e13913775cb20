import { resolve } from "node:path";
import type { Namespace } from "../../test/harness/namespaces/namespace.ts";
import { median, type Measurement } from "../measuring/measure.ts";

/** Whom `calls.mjs` calls. */
export interface Peer<Name extends string> {
  readonly name: Name;
  readonly socket: string;
  /** Where the peer is containerd: which of its snapshotters. */
  readonly snapshotter?: string;
}

/** What is timed, and what it is called. */
const titles = {
  prepare: "prepare",
  stat: "stat",
  commit: "commit, of nothing",
  remove: "remove, of nothing",
  commitFiles: "commit, of 2,000 files",
  commitRested: "commit, of 2,000 files written a second before",
  removeFiles: "remove, of 2,000 files",
} as const;

type Call = keyof typeof titles;

export type CallTimes = Readonly<Record<Call, { readonly medianUs: number; readonly p99Us: number }>>;

/** JavaScript, because it runs on the built package, which the compiler of the benchmarks does not know. */
const program = resolve("bench/engines/calls.mjs");

export async function runPart<Result>(
  { run }: Namespace,
  { socket, snapshotter }: Omit<Peer<string>, "name">,
  part: "calls" | "fill" | "list" | "empty",
  count: number,
  files = 0,
  from = 0,
): Promise<Result> {
  const request = JSON.stringify({ socket, snapshotter, part, count, files, from });
  return JSON.parse(await run([process.execPath, program, request])) as Result;
}

/** What is set for a row. */
export type Aim = Pick<Measurement, "limit" | "goal">;

/** Cleat's calls beside another's: the medians of all rounds. What is aimed at is of medians. */
export function compareCalls(
  where: string,
  times: ReadonlyMap<string, readonly CallTimes[]>,
  reference: string,
  aims: Partial<Readonly<Record<Call, Aim>>>,
): Measurement[] {
  const row = (call: Call, figure: "medianUs" | "p99Us", name: string, aim?: Aim): Measurement =>
    compareCall(call, figure, times, { name, subject: "cleat", reference, ...aim });
  return (Object.entries(titles) as [Call, string][]).flatMap(([call, title]) => [
    row(call, "medianUs", `${title}, ${where}`, aims[call]),
    row(call, "p99Us", `${title}, ${where}, 99th percentile`),
  ]);
}

/** What durability is of the commit of a layer: the others flush no files, and neither does Cleat with `none`. */
export function compareCommits(
  where: string,
  times: ReadonlyMap<string, readonly CallTimes[]>,
  { subject, reference, goal }: { readonly subject: string; readonly reference: string; readonly goal: number },
): Measurement[] {
  const name = `${titles.commitFiles}, ${where}, --durability=none`;
  return [
    compareCall("commitFiles", "medianUs", times, { name, subject, reference, goal }),
    compareCall("commitFiles", "p99Us", times, { name: `${name}, 99th percentile`, subject, reference }),
  ];
}

interface ComparedCall extends Aim {
  readonly name: string;
  readonly subject: string;
  readonly reference: string;
}

function compareCall(
  call: Call,
  figure: "medianUs" | "p99Us",
  times: ReadonlyMap<string, readonly CallTimes[]>,
  { name, subject, reference, ...aim }: ComparedCall,
): Measurement {
  const of = (peer: string) => median(times.get(peer)!.map((round) => round[call][figure]));
  return { name, unit: "µs", cleat: of(subject), reference: { name: reference, value: of(reference) }, ...aim };
}
