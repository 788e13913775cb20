/**
 * The conformance kit for snapshotters: what `Snapshotter` promises, as checks that run without a test runner. Checks
 * of files mount what the subject tells, where `abilities.mounts` says that they can.
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
import { createSubjects, openContext, openSubject, type SnapshotterAbilities } from "./context.ts";

export interface SnapshotterKitOptions {
  /** Opens the snapshotter on a folder that is empty, and, after `close`, again on the same one. */
  open(root: string): Promise<Snapshotter>;
  /** Where those folders are made; default the system's folder for temporary files. */
  readonly folder?: string;
  /** One snapshotter for all checks, opened again where a check asks for that. Default false: one for each. */
  readonly reuse?: boolean;
  /** Default: tells codes, adopts, can be opened again; cannot rebase, and its mounts are not performed. */
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
 * Runs the checks one after another, each on a snapshotter of its own unless that is reused.
 * @throws INVALID_ARGUMENT when `only` or `expectedFailures` name a check that there is not.
 */
export async function runSnapshotterKit(options: SnapshotterKitOptions): Promise<readonly CheckResult[]> {
  const { open, folder = tmpdir(), abilities, reuse = false, ...run } = options;
  const able = {
    rebase: false,
    codes: true,
    reopens: true,
    mounts: false,
    copies: false,
    adopts: true,
    ...abilities,
  };
  await using subjects = createSubjects(() => openSubject(open, folder), reuse);
  return await runChecks({
    ...run,
    checks: snapshotterChecks,
    openContext: async () => openContext(await subjects.take(), able),
  });
}
