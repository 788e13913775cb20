/**
 * Random layers: what a driver says of them is what whole readings of the trees say, its own diff is that of a
 * comparison of trees, and either, applied, gives the same files. Thirty cases for each driver; `npm run nightly` runs
 * ten thousand.
 */
import { join } from "node:path";

import { expect, test } from "vitest";

import { describeWith, type Need, needs } from "../../needs.ts";
import { type LoopFileSystem, runWithPrivateMounts } from "./private-mounts.ts";

interface Subject {
  readonly driver: string;
  readonly fileSystem: LoopFileSystem;
  readonly needs: readonly Need[];
}

const subjects: readonly Subject[] = [
  { driver: "overlay2", fileSystem: "ext4", needs: [needs.root, needs.overlay, needs.loopDevices, needs.ext4] },
  { driver: "vfs", fileSystem: "ext4", needs: [needs.root, needs.loopDevices, needs.ext4] },
  { driver: "btrfs", fileSystem: "btrfs", needs: [needs.root, needs.loopDevices, needs.btrfs] },
];

/** What `npm run nightly` asks for. */
const cases = Number(process.env["CLEAT_CASES"] ?? 30);
const seed = process.env["CLEAT_SEED"];
const path = process.env["CLEAT_PATH"];
const wanted = process.env["CLEAT_DRIVER"];

const chosen = subjects.filter(({ driver }) => wanted === undefined || driver === wanted);
if (chosen.length === 0) {
  throw new Error(`driver "${wanted}" is none of ${subjects.map(({ driver }) => driver).join(", ")}`);
}

/** Each is several layers of two drivers. */
const archiveCases = Math.ceil(cases / 4);

/** Many times what the cases take on a small machine. */
const limitMs = 300_000 + cases * 500;
/** For the process to end, and for mounts and file systems. */
const marginMs = 30_000;

for (const { driver, fileSystem, needs: required } of chosen) {
  describeWith(required, driver, () => {
    test(`random layers, ${cases} cases`, { timeout: limitMs + marginMs }, async () => {
      const outcome = await check({
        driver,
        fileSystem,
        cases,
        ...(seed !== undefined && { seed: Number(seed) }),
        ...(path !== undefined && { path }),
      });
      const { failure } = outcome;
      if (failure === undefined) {
        expect(outcome.cases).toBe(cases);
        console.log(`${driver}: ${outcome.cases} cases in ${outcome.seconds} s, seed ${outcome.seed}`);
        return;
      }
      const again = `npm run nightly -- --driver ${driver} --seed ${outcome.seed} --path ${failure.path}`;
      throw new Error(`${failure.error}\nafter ${JSON.stringify(failure.steps)}\nrun it again: ${again}`);
    });
  });
}

describeWith([needs.root, needs.overlay, needs.loopDevices, needs.ext4], "overlay2 and vfs", () => {
  test.skipIf(wanted !== undefined)(
    `make the same of random archives, ${archiveCases} cases`,
    { timeout: limitMs + marginMs },
    async () => {
      const outcome = await check({
        program: "archives",
        drivers: ["overlay2", "vfs"],
        fileSystem: "ext4",
        cases: archiveCases,
      });
      const { failure } = outcome;
      expect(
        failure && `${failure.error}\nafter ${JSON.stringify(failure.steps)}\nseed ${outcome.seed}`,
      ).toBeUndefined();
      expect(outcome.cases).toBe(archiveCases);
    },
  );
});

describeWith([needs.root, needs.overlay, needs.loopDevices, needs.ext4], "overlay2 with a fault", () => {
  const faults = [
    "deletions are not listed",
    "the parent of a diff is ignored",
    "folders that were made anew show what they hid",
  ];
  test.each(faults)("is found out: %s", { timeout: limitMs + marginMs }, async (fault) => {
    const { failure } = await check({ driver: "overlay2", fileSystem: "ext4", cases: 200, seed: 1, fault });
    expect(failure?.error).toContain("AssertionError");
  });
});

interface Request {
  /** Which of `graphdriver/properties`; default `main`. */
  readonly program?: "main" | "archives";
  readonly driver?: string;
  readonly drivers?: readonly string[];
  readonly fileSystem: LoopFileSystem;
  readonly cases: number;
  readonly seed?: number;
  readonly path?: string;
  readonly fault?: string;
}

/** As the programs print it. */
interface Outcome {
  readonly cases: number;
  readonly seconds: number;
  readonly seed: number;
  readonly failure?: { readonly path: string; readonly error: string; readonly steps: unknown };
}

async function check({ fileSystem, program: name = "main", ...request }: Request): Promise<Outcome> {
  const program = join(import.meta.dirname, `properties/${name}.mjs`);
  let outcome: Outcome | undefined;
  await runWithPrivateMounts((folder) => [process.execPath, program, JSON.stringify({ ...request, folder, limitMs })], {
    fileSystem,
    onLine: (line) => (outcome = JSON.parse(line) as Outcome),
  });
  if (outcome === undefined) throw new Error("the cases ended without an outcome");
  return outcome;
}
