import { mkdir } from "node:fs/promises";
import { startEngine, type Engine } from "../../test/harness/engines/engine.ts";
import { builtinOverlay2, cleatOverlay2, type Storage, withExactDiffs } from "../../test/harness/engines/storage.ts";
import { runCommand } from "../../test/harness/processes/command.ts";
import { type LayerRecipe, shellLayer, writeImageArchive } from "../../test/harness/images/image-archive.ts";
import { openNamespace } from "../../test/harness/namespaces/namespace.ts";
import { openMemoryDisk } from "../measuring/memory-disk.ts";
import { writeLayers } from "../content/real-files.ts";
import { type Aim, type Limit, median, type Measurement, timeMs } from "../measuring/measure.ts";
import { processorMs } from "../measuring/processor-time.ts";

const image = "large";
const changedFiles = 2000;
const change = `mkdir /changed && cd /changed && for i in $(seq ${changedFiles}); do echo $i > $i; done`;

/** What is timed in each round, in this order: the next needs what the last one left. */
const steps: readonly Step[] = [
  { name: "docker load", run: ({ docker }, archive) => docker("load", "--quiet", "--input", archive) },
  { name: "docker save", run: ({ docker }, archive) => docker("save", "--output", `${archive}.saved`, image) },
  {
    name: "docker run --rm, a command that does nothing",
    run: ({ docker }) => docker("run", "--rm", "--network", "none", image, "true"),
  },
  {
    name: `docker run, ${changedFiles} files written`,
    run: ({ docker }) => docker("run", "--network", "none", "--name", "changed", image, "sh", "-c", change),
  },
  { name: `docker diff, ${changedFiles} files`, run: ({ docker }) => docker("diff", "changed") },
  { name: `docker commit, ${changedFiles} files`, run: ({ docker }) => docker("commit", "changed", "committed") },
  { name: "docker rm", run: ({ docker }) => docker("rm", "changed") },
  { name: "docker rmi, both images", run: ({ docker }) => docker("rmi", "committed", image) },
];

interface TimedDocker extends Pick<Engine, "docker"> {
  /** What the engine, and its plugin, have taken of the processor until now; undefined where that is not looked at. */
  readonly processorMs?: () => Promise<number>;
}

interface Step {
  readonly name: string;
  run(engine: TimedDocker, archive: string): Promise<unknown>;
}

/** Two engines that do the same in turns, and what is set for a step, found by the command's words. */
export interface DockerPair {
  readonly title: string;
  readonly cleat: TimedDocker;
  readonly reference: TimedDocker & { readonly title: string };
  readonly recipes: readonly LayerRecipe[];
  readonly limits?: Readonly<Record<string, Limit>>;
  readonly goals?: Readonly<Record<string, number>>;
  /** Steps that Cleat has brought to the disk when it answers: compared with a reference that is synced, too. */
  readonly durable?: readonly string[];
}

const goals = {
  "docker load": 0.75,
  "on the disk: docker load": 0.75,
  "docker run --rm": 1,
  "docker commit": 0.6,
  "docker diff": 0.07,
  "docker rmi": 0.15,
};
const goalsWithExactDiffs = {
  ...goals,
  "docker load": 0.6,
  "on the disk: docker load": 0.6,
  "docker save": 0.6,
};

/**
 * Docker's commands on its own overlay2 and on Cleat's, on a file system in memory, with an image of this machine's
 * files.
 */
export async function measureDockerCommands(rounds: number, exactDiffs: boolean): Promise<readonly Measurement[]> {
  await using disk = await openMemoryDisk();
  await mkdir(`${disk.path}/layers`);
  const archives = await writeLayers(`${disk.path}/layers`);
  const recipes = [shellLayer, ...Object.entries(archives).map(([name, archive]) => ({ name, archive }))];
  await using builtin = await openEngineOn(disk.path, builtinOverlay2);
  await using cleat = await openEngineOn(disk.path, exactDiffs ? withExactDiffs(cleatOverlay2) : cleatOverlay2);
  const pair = {
    title: exactDiffs ? "exact diffs: " : "",
    cleat,
    reference: { ...builtin, title: "built-in" },
    recipes,
    limits: { "docker load": { maxRatio: 1.3 } },
    goals: exactDiffs ? goalsWithExactDiffs : goals,
    durable: ["docker load"],
  };
  return await compareDockers(pair, rounds, disk.path);
}

async function openEngineOn(folder: string, storage: Storage): Promise<TimedDocker & AsyncDisposable> {
  const namespace = await openNamespace(storage.release);
  const { docker, dockerd, cleat } = await startEngine(namespace, storage, `${folder}/${storage.storageDriver}`);
  const pids = [dockerd.pid(), ...(cleat === undefined ? [] : [cleat.pid()])];
  return {
    docker,
    processorMs: async () => (await Promise.all(pids.map(processorMs))).reduce((total, one) => total + one, 0),
    [Symbol.asyncDispose]: () => namespace[Symbol.asyncDispose](),
  };
}

/** Of one step, in one round. */
interface StepTimes {
  readonly wallMs: number;
  /** How long the disk takes for what is left to write then. */
  readonly syncMs: number;
  readonly processorMs: number | undefined;
}

type Figure = (round: readonly StepTimes[]) => number;

/**
 * In turns, so that whatever else the machine does meets both. The median of `rounds`, after one that is not counted.
 * What a step leaves to write is written before the next begins. The image is made in `folder`.
 */
export async function compareDockers(
  { title, cleat, reference, recipes, limits = {}, goals: aims = {}, durable = [] }: DockerPair,
  rounds: number,
  folder: string,
): Promise<readonly Measurement[]> {
  const archive = `${folder}/image.tar`;
  await writeImageArchive(archive, image, recipes);
  const referenceRounds: StepTimes[][] = [];
  const cleatRounds: StepTimes[][] = [];
  for (let round = 0; round <= rounds; round++) {
    const turns = [
      async () => referenceRounds.push(await runRound(reference, archive)),
      async () => cleatRounds.push(await runRound(cleat, archive)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
  }
  const row = (name: string, figure: Figure, of = figure, beside = reference.title): Measurement => {
    // Without the first round, which finds everything cold.
    const middle = (all: readonly StepTimes[][], one: Figure) => median(all.slice(1).map(one));
    const value = middle(referenceRounds, of);
    return {
      name: `${title}${name}`,
      unit: "ms",
      cleat: middle(cleatRounds, figure),
      reference: { name: beside, value },
    };
  };
  return steps.flatMap(({ name }, step) => {
    const aimsOf = (what: string): Aim => {
      const of = <T>(set: Readonly<Record<string, T>>) =>
        Object.entries(set).find(([words]) => what.startsWith(words))?.[1];
      return { limit: of(limits), goal: of(aims) };
    };
    const wallMs: Figure = (round) => round[step]!.wallMs;
    const syncedMs: Figure = (round) => round[step]!.wallMs + round[step]!.syncMs;
    const rows: Measurement[] = [{ ...row(name, wallMs), ...aimsOf(name) }];
    if (durable.includes(name)) {
      const synced = `on the disk: ${name}`;
      rows.push({ ...row(synced, wallMs, syncedMs, `${reference.title}, synced`), ...aimsOf(synced) });
    }
    if (cleatRounds[0]![step]!.processorMs !== undefined)
      rows.push(row(`${name}, processor time`, (round) => round[step]!.processorMs ?? 0));
    return rows;
  });
}

async function runRound(engine: TimedDocker, archive: string): Promise<StepTimes[]> {
  const times: StepTimes[] = [];
  const sync = () => runCommand(["sync"]);
  await sync();
  for (const step of steps) {
    const before = await engine.processorMs?.();
    const wallMs = await timeMs(() => step.run(engine, archive));
    const after = await engine.processorMs?.();
    const syncMs = await timeMs(sync);
    const spentMs = before === undefined || after === undefined ? undefined : after - before;
    times.push({ wallMs, syncMs, processorMs: spentMs });
  }
  return times;
}
