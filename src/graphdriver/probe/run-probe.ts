import { type MissingAbility, UnsupportedError } from "../../errors/index.ts";
import { createWorkerPool, type ModuleReference } from "../../workers/index.ts";
import type { ProbedFeature, ProbeReport } from "../probe-report.ts";

/** What a probe on a thread found, in a form that crosses threads. */
export interface ProbeFindings {
  /** The first thing in the way. */
  readonly missing: MissingAbility | undefined;
  readonly features: readonly ProbedFeature[];
}

type ProbeJobs = { readonly probeFolder: (folder: string, userNamespace?: number) => ProbeFindings };

/**
 * Runs a driver's probe of a folder on a thread of its own, which takes its private mounts along when it ends.
 * `userNamespace` is a descriptor, for a probe that wants to see ids mapped.
 */
export async function runProbe(
  driver: string,
  worker: ModuleReference<ProbeJobs>,
  folder: string,
  userNamespace?: number,
): Promise<ProbeReport> {
  const pool = createWorkerPool({ idleThreads: 0, maxThreads: 1 });
  try {
    const { missing, features } = await pool.run(worker, "probeFolder", folder, userNamespace);
    return { obstacle: missing && new UnsupportedError(driver, missing), features };
  } finally {
    await pool.close();
  }
}
