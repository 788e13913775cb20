/**
 * The conformance kit on every driver, on every file system, through every door, and on somebody else's driver: one
 * test for each check. Each subject runs in a process and a mount namespace of its own, on the built package.
 */
import { afterAll, beforeAll, test } from "vitest";

import { graphDriverChecks } from "cleat/testing";

import { describeWith } from "../../needs.ts";
import { createKitRuns, type KitResults } from "./kit-runs.ts";
import { checksOf, subjects } from "./subjects.ts";

const runs = createKitRuns(subjects);
// Of a run that was asked for one subject, the next has begun.
afterAll(runs.end);

for (const subject of subjects) {
  describeWith(subject.needs, subject.title, () => {
    let results: KitResults;
    beforeAll(async () => {
      results = await runs.resultsOf(subject);
    });

    const asked = new Set(checksOf(subject));
    for (const { id, title } of graphDriverChecks.filter((check) => asked.has(check.id))) {
      test(`${id}: ${title}`, ({ skip }) => {
        const result = results.get(id);
        if (result === undefined) throw new Error("the kit ended without a result");
        if (result.outcome === "skipped") skip(result.reason);
        if (result.outcome === "failed") throw new Error(result.error ?? result.reason);
      });
    }
  });
}
