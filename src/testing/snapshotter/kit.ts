/**
 * The conformance kit for snapshotters: what `Snapshotter` promises and can be seen without mounting anything, as
 * checks that run without a test runner.
 *
 *     await runSnapshotterKit({ open: (root) => openSnapshotter({ root, storage: myStorage(root) }) });
 *
 * A snapshotter behind a socket, in whatever language it was written, is opened as `open` says:
 *
 *     const channel = createGrpcChannel({ unix: "/run/theirs/snapshotter.sock" });
 *     await runSnapshotterKit({
 *       open: async () => createRemoteSnapshotter({ channel }),
 *       abilities: { reopens: false },
 *     });
 *
 * Under a test runner, make each of `snapshotterChecks` a test that calls the kit with `only: [check.id]`. Every check
 * has names of its own, so that a subject may hold other snapshots meanwhile; what a check made is removed after it.
 */
import { tmpdir } from "node:os";
import type { Snapshotter } from "../../snapshotter/index.ts";
import type { CheckResult } from "../check.ts";
import { runChecks } from "../run-checks.ts";
import { snapshotterChecks } from "./checks/index.ts";
import { openContext, type SnapshotterAbilities } from "./context.ts";

export interface SnapshotterKitOptions {
  /** Opens the snapshotter on a folder that is empty, and, after `close`, again on the same one. */
  open(root: string): Promise<Snapshotter>;
  /** Where those folders are made; default the system's folder for temporary files. */
  readonly folder?: string;
  /** Default: tells codes, can be opened again, cannot rebase. */
  readonly abilities?: Partial<SnapshotterAbilities>;
  /** Ids of the checks to run; default all. */
  readonly only?: readonly string[];
  /** Ids of checks that are known to fail, each with the reason. One that passes all the same fails as stale. */
  readonly expectedFailures?: Readonly<Record<string, string>>;
  /** How long one check may take; default 60 s. */
  readonly timeoutMs?: number;
  /** Told each result as it comes. */
  onResult?(result: CheckResult): void;
}

/**
 * Runs the checks one after another, each on a snapshotter of its own.
 * @throws INVALID_ARGUMENT when `only` or `expectedFailures` name a check that there is not.
 */
export async function runSnapshotterKit(options: SnapshotterKitOptions): Promise<readonly CheckResult[]> {
  const { open, folder = tmpdir(), abilities, ...run } = options;
  const able = { rebase: false, codes: true, reopens: true, ...abilities };
  return runChecks({
    ...run,
    checks: snapshotterChecks,
    openContext: () => openContext({ open, folder, abilities: able }),
  });
}
