import { readFile, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { cleatCommand } from "../../test/harness/plugins/cleat.ts";
import { type Namespace, openNamespace } from "../../test/harness/namespaces/namespace.ts";
import { startProxy } from "../../test/harness/containerd/snapshotter.ts";
import { until } from "../../test/harness/processes/until.ts";
import type { Measurement } from "../measuring/measure.ts";
import { residentMib } from "../measuring/resident-memory.ts";
import { runPart } from "./snapshotter-calls.ts";

const collectProgram = resolve("bench/engines/collect-on-signal.mjs");

/**
 * What Cleat holds of a tenth, a half and all of so many snapshots, and when they were removed: after a collection each
 * time, and for so many rounds, at least two, which tell growth from what was taken once.
 */
export async function measureSnapshotterMemory(snapshots: number, rounds: number): Promise<readonly Measurement[]> {
  await using namespace = await openNamespace();
  const collected = `${namespace.folder}/collected`;
  const server = await startServer(namespace, collected);
  const look = () => lookAfterCollection(server.pid(), collected);
  const atStart = await look();
  const rows: Measurement[] = [];
  const firstRound = new Map<string, Held>();
  const keep = async (when: string, round: number) => {
    const held = await look();
    const before = firstRound.get(when);
    rows.push(...rowsOf(`${when}, round ${round}`, held, atStart));
    if (before === undefined) firstRound.set(when, held);
    else rows.push(growthOf(`${when}, round ${round}`, held, before));
  };
  for (let round = 1; round <= Math.max(2, rounds); round++) {
    let filled = 0;
    for (const count of [snapshots / 10, snapshots / 2, snapshots]) {
      await runPart(namespace, server, "fill", count, 0, filled);
      filled = count;
      await keep(`with ${count.toLocaleString("en")} snapshots`, round);
    }
    await runPart(namespace, server, "empty", filled);
    await keep("with all of them removed", round);
  }
  return rows;
}

async function startServer(namespace: Namespace, collected: string) {
  const root = `${namespace.folder}/memory`;
  const [node = "", ...program] = cleatCommand;
  return startProxy(namespace, {
    name: "memory",
    root,
    argv: (socket) =>
      ["env", `COLLECTED=${collected}`, node, "--import", collectProgram, ...program].concat([
        "serve",
        "snapshotter",
        "--driver=overlay2",
        `--root=${root}`,
        `--socket=${socket}`,
      ]),
  });
}

interface Held {
  readonly residentMib: number;
  /** Of it, what the main thread's JavaScript holds. */
  readonly heapMib: number;
}

async function lookAfterCollection(pid: number, collected: string): Promise<Held> {
  await rm(collected, { force: true });
  process.kill(pid, "SIGUSR2");
  const heapBytes = await until("memory to be collected", () => readFile(collected, "utf8").catch(() => undefined));
  return { residentMib: await residentMib(pid), heapMib: Number(heapBytes) / 2 ** 20 };
}

/** Node itself and its code, which are there before any snapshot is, have most of it. */
const maxResidentMib = 200;
/** Of the heap. */
const maxHeapMib = 60;

function rowsOf(when: string, held: Held, atStart: Held): readonly Measurement[] {
  const row = (what: string, of: keyof Held, max: number): Measurement => ({
    name: `${what} of Cleat ${when}`,
    unit: "MiB",
    cleat: held[of],
    reference: { name: "when it has started", value: atStart[of] },
    limit: { max },
  });
  return [row("resident memory", "residentMib", maxResidentMib), row("heap", "heapMib", maxHeapMib)];
}

/** As many snapshots as in the first round take as much as then; what the allocator keeps in pieces is allowed for. */
function growthOf(when: string, held: Held, first: Held): Measurement {
  return {
    name: `growth of resident memory of Cleat ${when}`,
    unit: "MiB",
    cleat: held.residentMib,
    reference: { name: "in the first round", value: first.residentMib },
    limit: { maxRatio: 1.15 },
  };
}
