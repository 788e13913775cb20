/**
 * The conformance kit for snapshotters on every driver, in process and behind the socket of `cleat serve snapshotter`, with real
 * mounts. Each subject runs in a process and a mount namespace of its own, on the built package.
 */
import { join } from "node:path";
import { beforeAll, test } from "vitest";

import { type CheckResult, snapshotterChecks } from "cleat/testing";

import { describeWith } from "../needs.ts";
import { runWithPrivateMounts } from "./graphdriver/private-mounts.ts";
import { subjects } from "./snapshotter/subjects.ts";

/** As the kit's, with the error as text. */
type Result = Omit<CheckResult, "error"> & { readonly error?: string };

const program = join(import.meta.dirname, "snapshotter/kit-process.mjs");
const longestMs = 5 * 60_000;

for (const { title, needs, fileSystem, ...subject } of subjects) {
  describeWith(needs, title, () => {
    const results = new Map<string, Result>();
    beforeAll(async () => {
      const command = (folder: string) => [process.execPath, program, JSON.stringify({ ...subject, folder })];
      await runWithPrivateMounts(command, {
        fileSystem,
        onLine(line) {
          const result = JSON.parse(line) as Result;
          results.set(result.id, result);
        },
      });
    }, longestMs);

    for (const check of snapshotterChecks) {
      test(`${check.id}: ${check.title}`, ({ skip }) => {
        const result = results.get(check.id);
        if (result === undefined) throw new Error("the kit ended without a result");
        if (result.outcome === "skipped") skip(result.reason);
        if (result.outcome === "failed") throw new Error(result.error ?? result.reason);
      });
    }
  });
}
