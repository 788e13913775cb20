/**
 * The conformance kit for snapshotters on every driver, in process and behind the socket of `cleat serve snapshotter`,
 * with real mounts. Each subject runs in a process and a mount namespace of its own, on the built package; each check
 * is a test, which ends when its result is there.
 */
import { afterAll, test } from "vitest";

import { snapshotterChecks } from "cleat/testing";

import { describeWith } from "../../needs.ts";
import { createKitRun } from "./kit-run.ts";
import { subjects } from "./subjects.ts";

for (const subject of subjects) {
  describeWith(subject.needs, subject.title, () => {
    const run = createKitRun(subject);
    afterAll(() => run.end());

    for (const { id, title } of snapshotterChecks) {
      test(`${id}: ${title}`, async ({ skip }) => {
        const result = await run.resultOf(id);
        if (result.outcome === "skipped") skip(result.reason);
        if (result.outcome === "failed") throw new Error(result.error ?? result.reason);
      });
    }
  });
}
