import { createCoverage } from "./coverage.mjs";
import { mutate } from "./mutate.mjs";
import { createRandom } from "./random.mjs";
import { runTarget } from "./run-target.mjs";

/**
 * Runs `corpus`, then what comes of it by change, for so many seconds. An input that takes a new way joins the pool.
 * Returns counts, the pool, and the first input of each kind of fault.
 */
export async function fuzz(target, corpus, { seconds, seed }) {
  const random = createRandom(seed);
  const coverage = createCoverage();
  const pool = [];
  const faults = new Map();
  let runs = 0;
  const dictionary = (target.dictionary ?? []).map((word) => Buffer.from(word, "latin1"));
  const repair = target.repair ?? ((input) => input);

  async function tryInput(input) {
    coverage.clear();
    runs++;
    try {
      await runTarget(target, input);
    } catch (error) {
      const kind = kindOf(error);
      if (!faults.has(kind)) faults.set(kind, { error, input });
      return;
    }
    if (coverage.takeNew() > 0 && input.length > 0) pool.push(input);
  }

  for (const { input } of corpus) await tryInput(input);
  for (const input of target.seeds) await tryInput(Buffer.from(input, "latin1"));
  if (pool.length === 0) pool.push(Buffer.from("0"));
  const kept = pool.length;
  for (const endMs = performance.now() + seconds * 1000; performance.now() < endMs;) {
    // Half of the time what was found last: the way on from there is the newest.
    const from = random.int(2) === 0 ? pool.slice(-20) : pool;
    const changed = mutate(random.pick(from), random, { pool, dictionary });
    await tryInput(random.int(8) === 0 ? changed : repair(changed));
  }
  return { runs, branches: coverage.branches, pool, found: pool.length - kept, faults: [...faults.values()] };
}

/** Where it was thrown: one fault is met by many inputs. */
function kindOf(error) {
  const place = /\n\s+at .*\n?.*/.exec(error?.stack ?? "")?.[0] ?? "";
  return `${error?.name} ${error?.code} ${place}`;
}

/** The smallest inputs that take the ways which the pool takes. */
export async function minimize(target, pool) {
  const coverage = createCoverage();
  const kept = [];
  for (const input of pool.toSorted((one, other) => one.length - other.length)) {
    coverage.clear();
    await runTarget(target, input).catch(() => {});
    if (coverage.takeNew() > 0) kept.push(input);
  }
  return kept;
}
