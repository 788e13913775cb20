import { appendFileSync } from "node:fs";
import { basename } from "node:path";
import type { Reporter, TestModule, TestSuite } from "vitest/node";

/**
 * Ends a run with what is missing on this machine and then, alone on the last line, `N passed, N failed, N skipped`. A
 * file or suite that could not even run its tests counts as one failure. Whoever runs vitest several times names a file
 * in `CLEAT_COUNTS`, to which each run appends its counts as a line of JSON, with those of each row (of each suite that
 * holds tests) and the names of what failed.
 */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    for (const need of missingNeeds(modules)) console.log(`skipped for want of ${need}`);
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const counts = {
      passed: count("passed"),
      failed: count("failed") + brokenSuites(modules).length + unhandledErrors.length,
      skipped: count("skipped"),
    };
    const { CLEAT_COUNTS: sums } = process.env;
    if (sums !== undefined) {
      const line = { ...counts, rows: rowsOf(modules), failures: failuresOf(modules) };
      appendFileSync(sums, `${JSON.stringify(line)}\n`);
    }
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}

interface Row {
  readonly title: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
}

function rowsOf(modules: readonly TestModule[]): Row[] {
  return modules.flatMap((module) =>
    [module, ...module.children.allSuites()].flatMap((suite) => {
      const tests = [...suite.children.tests()];
      if (tests.length === 0) return [];
      const count = (state: string) => tests.filter((test) => test.result().state === state).length;
      const durationMs = tests.reduce((sum, test) => sum + (test.diagnostic()?.duration ?? 0), 0);
      const failed = count("failed") + Math.min(suite.errors().length, 1);
      const title = suite.type === "suite" ? suite.fullName : basename(suite.moduleId);
      return [
        { title, passed: count("passed"), failed, skipped: count("skipped"), seconds: Math.round(durationMs / 1000) },
      ];
    }),
  );
}

function failuresOf(modules: readonly TestModule[]): string[] {
  const failed = modules.flatMap((module) => [...module.children.allTests("failed")]);
  return [...brokenSuites(modules), ...failed].map((one) =>
    one.type === "module" ? one.relativeModuleId : `${one.module.relativeModuleId} > ${one.fullName}`,
  );
}

/** Files and suites that have errors of their own. */
function brokenSuites(modules: readonly TestModule[]): (TestModule | TestSuite)[] {
  const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
  return suites.filter((suite) => suite.errors().length > 0);
}

function missingNeeds(modules: readonly TestModule[]): Set<string> {
  const suites = modules.flatMap((module) => [...module.children.allSuites()]);
  return new Set(suites.flatMap((suite) => suite.meta().missingNeeds ?? []));
}
