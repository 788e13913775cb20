/** Several runs of vitest that end in one line of counts and one exit code. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryDisk } from "./memory-disk.mjs";
import { projectFolder, run } from "./prepare.mjs";

const vitestEntry = join(projectFolder, "node_modules/vitest/vitest.mjs");

export function createTestRuns() {
  const folder = mkdtempSync(join(tmpdir(), "cleat-counts-"));
  const file = join(folder, "counts.jsonl"); // test/reporter/closing-line.ts writes it
  const disk = createMemoryDisk();
  const total = { passed: 0, failed: 0, skipped: 0 };
  const readCounts = () => (existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : []);
  return {
    /** Runs vitest; one that fails without having counted a failure counts as one. */
    vitest(args, { program = process.execPath, env = {} } = {}) {
      rmSync(file, { force: true });
      const [command, ...rest] = disk.wrap([program, vitestEntry, "run", ...args]);
      const exitCode = run(command, rest, {
        env: { ...process.env, ...env, CLEAT_COUNTS: file },
      });
      const counts = readCounts().map((line) => JSON.parse(line));
      for (const state of Object.keys(total)) total[state] += sumOf(counts.map((one) => one[state]));
      const isTold = sumOf(counts.map(({ failed }) => failed)) > 0;
      if (exitCode !== 0 && !isTold) this.fail(`vitest ended with code ${exitCode}, and told of no failure`);
    },
    /** Counts what kept tests from being run as a failure. */
    fail(reason) {
      console.error(`cleat: ${reason}`);
      total.failed++;
    },
    /** Prints what all runs counted, as the last line; returns the exit code. */
    end() {
      rmSync(folder, { recursive: true });
      console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
      return total.failed === 0 ? 0 : 1;
    },
  };
}

function sumOf(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}
