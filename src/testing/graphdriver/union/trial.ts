/**
 * The oracle of the union checks: what a process does in a container must end as the same does in a flat folder of the
 * same file system. The idea, and what is tried, are those of unionmount-testsuite (David Howells, Amir Goldstein).
 */
import { AssertionError } from "node:assert";
import { mkdirSync } from "node:fs";
import { isSystemError } from "../../../errors/index.ts";
import { type ArchiveEntry, folder } from "../../archive/entry.ts";
import { assertSameTree } from "../../tree/assert-same-tree.ts";
import { readTree } from "../../tree/read-tree.ts";
import { createReplay } from "../../tree/replay.ts";
import type { Tree } from "../../tree/tree.ts";
import type { GraphDriverContext } from "../context.ts";
import { makeContainer, makeLayer, visitLayer } from "../layers.ts";
import type { Difference } from "./differences.ts";

/** One thing that is tried, in a folder of its own. */
export interface Trial {
  readonly title: string;
  /** What the image has in the trial's folder, which is `at`. */
  readonly image: (at: string) => readonly ArchiveEntry[];
  /** What the container did there before. */
  readonly prepare?: ((root: string) => void) | undefined;
  /** Answers what a process sees of it; a failed call answers with its errno by itself. */
  readonly act: (root: string) => string;
  /** What a union mount may do instead. */
  readonly difference?: Difference | undefined;
}

const maxShown = 12;

/** Fails with the trials whose answers, or whose folders in the end, are not those of the flat folder. */
export async function assertUnion(context: GraphDriverContext, trials: readonly Trial[]): Promise<void> {
  const flat = `${context.scratch}/flat`;
  mkdirSync(flat);
  const entries = trials.flatMap(({ image }, n) => [folder(`${n}`), ...image(`${n}`)]);
  createReplay(flat).apply(entries);
  const container = await makeContainer(context, await makeLayer(context, undefined, entries));
  await visitLayer(context, container, (path) => {
    const wrong = trials.flatMap((trial, n) => {
      const [actual, expected] = tryBoth(context, trial, `${path}/${n}`, `${flat}/${n}`);
      return actual === expected ? [] : [`${n}, ${trial.title}: answers ${actual}, in a flat folder ${expected}`];
    });
    if (wrong.length > 0) {
      const more = wrong.length > maxShown ? [`… and ${wrong.length - maxShown} more`] : [];
      throw new AssertionError({ message: [...wrong.slice(0, maxShown), ...more].join("\n  ") });
    }
    assertSameTree(withoutTimes(readTree(path)), withoutTimes(readTree(flat)), "container");
  });
}

function tryBoth({ driver }: GraphDriverContext, trial: Trial, mounted: string, flat: string): [string, string] {
  const { prepare, act, difference } = trial;
  for (const root of [mounted, flat]) prepare?.(root);
  const actual = answerOf(() => act(mounted));
  const isPermitted = driver.capabilities.mounts && actual === difference?.answer;
  if (isPermitted && difference.isRefusal) return [actual, actual];
  const expected = answerOf(() => act(flat));
  return [actual, isPermitted ? actual : expected];
}

function answerOf(act: () => string): string {
  try {
    return act();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    // Of a folder that holds something file systems say either, and union mounts say theirs. Source: rename(2),
    // rmdir(2).
    return error.code === "ENOTEMPTY" ? "EEXIST" : error.code;
  }
}

/** The two folders were written one after the other; trials that set times answer with them. */
function withoutTimes(tree: Tree): Tree {
  return new Map([...tree].map(([path, node]) => [path, { ...node, mtimeNs: undefined }]));
}
