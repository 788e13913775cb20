import { openEngine, type Engine } from "../test/harness/engine.ts";
import { builtinOverlay2, cleatOverlay2 } from "../test/harness/storage.ts";
import { runCommand } from "../test/harness/command.ts";
import { writeImageArchive } from "../test/harness/image-archive.ts";
import { createScratch } from "../test/harness/scratch.ts";
import { largeImage } from "./large-image.ts";
import { median, timeMs, type Limit, type Measurement } from "./measure.ts";

const image = "large";
const changedFiles = 2000;
const change = `mkdir /changed && cd /changed && for i in $(seq ${changedFiles}); do echo $i > $i; done`;

/** What is timed in each round, in this order: the next needs what the last one left. */
const steps: readonly Step[] = [
  {
    name: "docker load, 20,000 files in 6 layers",
    limit: { maxRatio: 1.3 },
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

interface Step {
  readonly name: string;
  readonly limit?: Limit;
  run(engine: Engine, archive: string): Promise<unknown>;
}

/**
 * Docker's commands on its own overlay2 and on Cleat's, in turns, so that whatever else the machine does meets both. The
 * median of `rounds`, after one that is not counted. What earlier steps left to write is written before a clock starts.
 */
export async function measureDockerCommands(rounds: number): Promise<readonly Measurement[]> {
  await using scratch = await createScratch();
  const archive = `${scratch.path}/image.tar`;
  await writeImageArchive(archive, image, largeImage);
  await using builtin = await openEngine(builtinOverlay2);
  await using cleat = await openEngine(cleatOverlay2);
  const builtinRounds: number[][] = [];
  const cleatRounds: number[][] = [];
  for (let round = 0; round <= rounds; round++) {
    const turns = [
      async () => builtinRounds.push(await runRound(builtin, archive)),
      async () => cleatRounds.push(await runRound(cleat, archive)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
  }
  return steps.map(({ name, limit }, step) => ({
    name,
    unit: "ms",
    cleat: medianOf(cleatRounds, step),
    reference: { name: "builtin overlay2", value: medianOf(builtinRounds, step) },
    limit,
  }));
}

/** Without the first round, which finds everything cold. */
function medianOf(rounds: readonly number[][], step: number): number {
  return median(rounds.slice(1).map((times) => times[step]!));
}

async function runRound(engine: Engine, archive: string): Promise<number[]> {
  const times: number[] = [];
  for (const step of steps) {
    await runCommand(["sync"]);
    times.push(await timeMs(() => step.run(engine, archive)));
  }
  return times;
}
