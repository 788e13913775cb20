import { describe, expect, it } from "vitest";

import type { Check, CheckResult } from "./check.ts";
import { runChecks } from "./run-checks.ts";

interface Context extends AsyncDisposable {
  readonly abilities: readonly string[];
}

const failure = new Error("fell short");
const passes: Check<Context> = { id: "passes", title: "passes", run: async () => {} };
const fails: Check<Context> = { id: "fails", title: "fails", run: () => Promise.reject(failure) };
const needy: Check<Context> = {
  id: "needy",
  title: "needs wings",
  needs: ({ abilities }) => (abilities.includes("wings") ? undefined : "it has no wings"),
  run: () => Promise.reject(failure),
};

const checks = [passes, fails, needy];
const openContext = async (): Promise<Context> => ({ abilities: [], [Symbol.asyncDispose]: async () => {} });
const outcomes = (results: readonly CheckResult[]) => results.map(({ id, outcome }) => `${id} ${outcome}`);

describe("runChecks", () => {
  it("tells what passed, failed and was skipped, and why", async () => {
    const results = await runChecks({ checks, openContext });
    expect(outcomes(results)).toEqual(["passes passed", "fails failed", "needy skipped"]);
    expect(results[1]?.error).toBe(failure);
    expect(results[2]?.reason).toBe("it has no wings");
  });

  it("runs only what is asked for, and tells each result as it comes", async () => {
    const told: CheckResult[] = [];
    const results = await runChecks({ checks, openContext, only: ["fails"], onResult: (one) => told.push(one) });
    expect(outcomes(results)).toEqual(["fails failed"]);
    expect(told).toEqual(results);
  });

  it("takes an expected failure as one, and keeps the error", async () => {
    const expectedFailures = { fails: "issue 7" };
    const [result] = await runChecks({ checks, openContext, only: ["fails"], expectedFailures });
    expect(result).toMatchObject({ outcome: "expected-failure", reason: "issue 7", error: failure });
  });

  it("fails an expected failure that passes", async () => {
    const expectedFailures = { passes: "issue 8" };
    const [result] = await runChecks({ checks, openContext, only: ["passes"], expectedFailures });
    expect(result?.outcome).toBe("failed");
    expect(result?.reason).toMatch(/stale.*issue 8/);
  });

  it.each([{ only: ["nothing"] }, { expectedFailures: { nothing: "x" } }])(
    "refuses ids of no check: %o",
    async (wrong) => {
      await expect(runChecks({ checks, openContext, ...wrong })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    },
  );

  it("fails a check that leaves its context in disorder", async () => {
    const left = new Error("left mounted");
    const untidy = async () => ({ abilities: [], [Symbol.asyncDispose]: () => Promise.reject(left) });
    const results = await runChecks({ checks, openContext: untidy });
    expect(outcomes(results)).toEqual(["passes failed", "fails failed", "needy failed"]);
    expect(results[1]?.error).toMatchObject({ errors: [failure, left] });
  });

  it("fails a check whose context cannot be opened", async () => {
    const [result] = await runChecks({ checks: [passes], openContext: () => Promise.reject(failure) });
    expect(result).toMatchObject({ outcome: "failed", error: failure });
  });

  it("closes a context that comes too late, and does not run the check beside the next one", async () => {
    let open: (context: Context) => void = () => {};
    let close: (word: string) => void = () => {};
    const answer = new Promise<Context>((resolve) => (open = resolve));
    const closed = new Promise<string>((resolve) => (close = resolve));
    let ran = false;
    const late: Check<Context> = { ...passes, run: async () => void (ran = true) };
    const [result] = await runChecks({ checks: [late], openContext: () => answer, timeoutMs: 20 });
    expect(result?.error).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    open({ abilities: [], [Symbol.asyncDispose]: async () => close("closed") });
    expect(await closed).toBe("closed");
    expect(ran).toBe(false);
  });

  it("gives up on a check that does not end", async () => {
    const endless: Check<Context> = { id: "endless", title: "endless", run: () => new Promise(() => {}) };
    const [result] = await runChecks({ checks: [endless], openContext, timeoutMs: 20 });
    expect(result?.error).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });
});
