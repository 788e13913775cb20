import { join } from "node:path";

import type { CheckResult } from "cleat/testing";

import { createScratch } from "../../harness/namespaces/scratch.ts";
import { buildMobyPlugin } from "./moby-plugin.ts";
import { runWithPrivateMounts } from "./private-mounts.ts";
import { checksOf, type Subject } from "./subjects.ts";

/** As the kit's, with the error as text. */
export type KitResult = Omit<CheckResult, "error"> & { readonly error?: string };

/** By the ids of the checks. */
export type KitResults = ReadonlyMap<string, KitResult>;

export interface KitRuns {
  /** Runs the kit on a subject, and meanwhile begins with the one after it: much of a run is waiting for the disk. */
  resultsOf(subject: Subject): Promise<KitResults>;
  end(): Promise<void>;
}

export function createKitRuns(subjects: readonly Subject[]): KitRuns {
  const runs = new Map<Subject, Promise<KitResults>>();

  function begin(subject: Subject): Promise<KitResults> {
    const run = runs.get(subject) ?? runKit(subject);
    // Whoever asks for the results is told.
    run.catch(() => {});
    runs.set(subject, run);
    return run;
  }

  return {
    async resultsOf(subject) {
      const run = begin(subject);
      const next = subjects[subjects.indexOf(subject) + 1];
      if (next?.needs.every(({ met }) => met)) void begin(next);
      return run;
    },
    end: async () => void (await Promise.allSettled(runs.values())),
  };
}

async function runKit(subject: Subject): Promise<KitResults> {
  await using scratch = await createScratch();
  const { driver, opener, refusals, expectedFailures, fileSystem, unprivileged, userNamespace, options } = subject;
  const program = opener === "somebodyElses" ? buildMobyPlugin(scratch.path) : undefined;
  const results = new Map<string, KitResult>();
  const command = (folder: string) => {
    const only = checksOf(subject);
    const request = { driver, opener, refusals, expectedFailures, options, only, folder, program };
    return [process.execPath, join(import.meta.dirname, "kit-process.mjs"), JSON.stringify(request)];
  };
  await runWithPrivateMounts(command, {
    fileSystem,
    unprivileged,
    userNamespace,
    onLine(line) {
      const result = JSON.parse(line) as KitResult;
      results.set(result.id, result);
    },
  });
  return results;
}
