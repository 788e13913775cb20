import { openEngine, type Engine } from "../test/harness/engine.ts";
import { builtinOverlay2, cleatOverlay2 } from "../test/harness/storage.ts";
import { runCommand } from "../test/harness/command.ts";
import { writeImageArchive } from "../test/harness/image-archive.ts";
import { createScratch } from "../test/harness/scratch.ts";
import { largeImage } from "./large-image.ts";
import { type Limit, median, type Measurement, timeMs } from "./measure.ts";

const image = "large";
const changedFiles = 2000;
const change = `mkdir /changed && cd /changed && for i in $(seq ${changedFiles}); do echo $i > $i; done`;

/** What is timed in each round, in this order: the next needs what the last one left. */
const steps: readonly Step[] = [
  {
    name: "docker load, 20,000 files in 6 layers",
    run: ({ docker }, archive) => docker("load", "--quiet", "--input", archive),
  },
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

type Docker = Pick<Engine, "docker">;

interface Step {
  readonly name: string;
  run(engine: Docker, archive: string): Promise<unknown>;
}

/** Two engines that do the same in turns, and what is set for a step, found by the command's words. */
export interface DockerPair {
  readonly title: string;
  readonly cleat: Docker;
  readonly reference: Docker & { readonly title: string };
  readonly limits: Readonly<Record<string, Limit>>;
}

/** Docker's commands on its own overlay2 and on Cleat's. */
export async function measureDockerCommands(rounds: number): Promise<readonly Measurement[]> {
  await using builtin = await openEngine(builtinOverlay2);
  await using cleat = await openEngine(cleatOverlay2);
  const reference = { title: "builtin overlay2", docker: builtin.docker };
  return await compareDockers({ title: "", cleat, reference, limits: { "docker load": { maxRatio: 1.3 } } }, rounds);
}

/**
 * In turns, so that whatever else the machine does meets both. The median of `rounds`, after one that is not counted. What earlier
 * steps left to write is written before a clock starts.
 */
export async function compareDockers(
  { title, cleat, reference, limits }: DockerPair,
  rounds: number,
): Promise<readonly Measurement[]> {
  await using scratch = await createScratch();
  const archive = `${scratch.path}/image.tar`;
  await writeImageArchive(archive, image, largeImage);
  const referenceRounds: number[][] = [];
  const cleatRounds: number[][] = [];
  for (let round = 0; round <= rounds; round++) {
    const turns = [
      async () => referenceRounds.push(await runRound(reference, archive)),
      async () => cleatRounds.push(await runRound(cleat, archive)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
  }
  return steps.map(({ name }, step) => ({
    name: `${title}${name}`,
    unit: "ms",
    cleat: medianOf(cleatRounds, step),
    reference: { name: reference.title, value: medianOf(referenceRounds, step) },
    limit: Object.entries(limits).find(([words]) => name.startsWith(words))?.[1],
  }));
}

/** Without the first round, which finds everything cold. */
function medianOf(rounds: readonly number[][], step: number): number {
  return median(rounds.slice(1).map((times) => times[step]!));
}

async function runRound(engine: Docker, archive: string): Promise<number[]> {
  const times: number[] = [];
  for (const step of steps) {
    await runCommand(["sync"]);
    times.push(await timeMs(() => step.run(engine, archive)));
  }
  return times;
}
