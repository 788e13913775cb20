import { mkdir, rm } from "node:fs/promises";
import { runCommand } from "../../test/harness/processes/command.ts";
import { median, type Measurement } from "../measuring/measure.ts";
import { openMemoryDisk } from "../measuring/memory-disk.ts";
import { layerKinds, type LayerName, writeLayers } from "../content/real-files.ts";
import { startDriver, timeCommand, type Times } from "./timed.ts";

type Durability = "none" | "layer";
interface Pair {
  readonly cleat: Times;
  readonly peer: Times;
}

/** What is aimed at, beside GNU tar. */
const goals: Readonly<Record<LayerName, { readonly apply: number; readonly diff: number }>> = {
  "small files": { apply: 0.85, diff: 0.9 },
  "large files": { apply: 0.85, diff: 0.8 },
  headers: { apply: 0.85, diff: 1 },
};

/**
 * Layers of real files, applied from a file and diffed again by `overlay2` in process, read where the bytes lie and as
 * a stream, beside GNU tar, in turns, the
 * medians of `rounds`: with durability `none` beside tar as it is, with `layer` beside tar and a sync of the file
 * system. A driver has applied each layer once before it is measured; what its first one costs stands apart.
 */
export async function measureLayers(rounds: number): Promise<readonly Measurement[]> {
  await using disk = await openMemoryDisk();
  const archives = await writeLayers(disk.path);
  const rows: Measurement[] = [await measureFirst(disk.path, archives["small files"], rounds)];
  for (const durability of ["none", "layer"] as const) {
    await using driver = await startDriver(`${disk.path}/${durability}`, durability);
    for (const { name } of layerKinds) {
      const measured: Round[] = [];
      for (let round = 0; round <= rounds; round++) {
        measured.push(await runRound(disk.path, archives[name], driver, durability, round % 2 === 0));
      }
      const warm = measured.slice(1);
      rows.push(...compare(`apply of ${name}, durability ${durability}`, warm, "apply", goals[name].apply));
      if (durability === "layer") continue;
      rows.push(...compare(`diff of ${name}`, warm, "diff", goals[name].diff));
      rows.push(...compare(`diff of ${name}, as a stream`, warm, "stream", goals[name].diff));
    }
  }
  return rows;
}

interface Round {
  readonly apply: Pair;
  readonly diff: Pair;
  readonly stream: Pair;
}

type Driver = Awaited<ReturnType<typeof startDriver>>;

/** What the one before left to write is written before a clock starts. */
async function runRound(
  disk: string,
  archive: string,
  driver: Driver,
  durability: Durability,
  isPeerFirst: boolean,
): Promise<Round> {
  const [id, tree] = ["layer", `${disk}/tree`];
  await driver.run({ task: "create", id });
  await mkdir(tree);
  const synced = durability === "none" ? "" : ` && sync --file-system ${tree}`;
  const apply = await inTurn(isPeerFirst, {
    cleat: () => driver.run({ task: "apply", id, archive }),
    peer: () => timeCommand(`tar --extract --file=${archive} --directory=${tree}${synced}`),
  });
  const [diff, stream] = [
    await inTurn(isPeerFirst, { cleat: () => driver.run({ task: "diff", id }), peer: () => packTree(tree) }),
    await inTurn(isPeerFirst, { cleat: () => driver.run({ task: "stream", id }), peer: () => packTree(tree) }),
  ];
  await driver.run({ task: "remove", id });
  await rm(tree, { recursive: true });
  return { apply, diff, stream };
}

const packTree = (tree: string): Promise<Times> => timeCommand(`tar --create --directory=${tree} . | cat`);

async function inTurn(isPeerFirst: boolean, work: { cleat(): Promise<Times>; peer(): Promise<Times> }): Promise<Pair> {
  await runCommand(["sync"]);
  const first = await (isPeerFirst ? work.peer() : work.cleat());
  await runCommand(["sync"]);
  const second = await (isPeerFirst ? work.cleat() : work.peer());
  return isPeerFirst ? { cleat: second, peer: first } : { cleat: first, peer: second };
}

/** The first layer of a process, beside its third. */
async function measureFirst(disk: string, archive: string, rounds: number): Promise<Measurement> {
  const times: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    await using driver = await startDriver(`${disk}/first`, "none");
    const each: number[] = [];
    for (let layer = 0; layer < 3; layer++) {
      await driver.run({ task: "create", id: "layer" });
      await runCommand(["sync"]);
      each.push((await driver.run({ task: "apply", id: "layer", archive })).wallMs);
      await driver.run({ task: "remove", id: "layer" });
    }
    times.push(each);
  }
  const [first, third] = [0, 2].map((layer) => median(times.map((each) => each[layer]!)));
  const reference = { name: "the third", value: third! };
  return { name: "apply of small files, the first after a start", unit: "ms", cleat: first!, reference, goal: 1.15 };
}

function compare<Step extends string>(
  name: string,
  rounds: readonly Readonly<Record<Step, Pair>>[],
  step: Step,
  goal: number,
): readonly Measurement[] {
  const row = (title: string, figure: keyof Times, goalHere: number): Measurement => ({
    name: title,
    unit: "ms",
    cleat: median(rounds.map((round) => round[step].cleat[figure])),
    reference: { name: "GNU tar", value: median(rounds.map((round) => round[step].peer[figure])) },
    goal: goalHere,
  });
  return [row(name, "wallMs", goal), row(`${name}, processor time`, "processorMs", 1.2)];
}
