/** Several runs of vitest that end in one line of counts and one exit code. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryDisk } from "./memory-disk.mjs";
import { projectFolder, run } from "./prepare.mjs";

const vitestEntry = join(projectFolder, "node_modules/vitest/vitest.mjs");
const states = ["passed", "failed", "skipped"];

export function createTestRuns() {
  const folder = mkdtempSync(join(tmpdir(), "cleat-counts-"));
  const file = join(folder, "counts.jsonl"); // test/reporter/closing-line.ts writes it
  const disk = createMemoryDisk();
  const parts = [];
  const readCounts = () => (existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : []);
  const total = (state) => sumOf(parts.map((part) => part[state]));
  return {
    /** Runs vitest; one that fails without having counted a failure counts as one. */
    vitest(args, { program = process.execPath, env = {}, title = args.join(" ") } = {}) {
      rmSync(file, { force: true });
      const [command, ...rest] = disk.wrap([program, vitestEntry, "run", ...args]);
      const startMs = performance.now();
      const exitCode = run(command, rest, {
        env: { ...process.env, ...env, CLEAT_COUNTS: file },
      });
      const seconds = Math.round((performance.now() - startMs) / 1000);
      const counted = readCounts().map((line) => JSON.parse(line));
      const counts = Object.fromEntries(states.map((state) => [state, sumOf(counted.map((one) => one[state]))]));
      parts.push({ title, ...counts, seconds, rows: counted.flatMap(({ rows }) => rows) });
      if (exitCode !== 0 && counts.failed === 0)
        this.fail(`vitest ended with code ${exitCode}, and told of no failure`);
    },
    /** Counts what kept tests from being run as a failure. */
    fail(reason) {
      console.error(`cleat: ${reason}`);
      parts.push({ title: reason, passed: 0, failed: 1, skipped: 0, seconds: 0, rows: [] });
    },
    /** Prints what each part counted and how long it took, with its rows where there are several. */
    printTable() {
      console.log("passed failed skipped seconds");
      for (const part of parts) {
        printRow(part, "");
        if (part.rows.length > 1) for (const row of part.rows) printRow(row, "  ");
      }
    },
    /** Prints what all runs counted, as the last line; returns the exit code. */
    end() {
      rmSync(folder, { recursive: true });
      console.log(states.map((state) => `${total(state)} ${state}`).join(", "));
      return total("failed") === 0 ? 0 : 1;
    },
  };
}

function printRow({ title, passed, failed, skipped, seconds }, indent) {
  const numbers = [passed, failed, skipped, seconds].map((number, at) => String(number).padStart([6, 6, 7, 7][at]));
  console.log(`${numbers.join(" ")}  ${indent}${title}`);
}

function sumOf(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}
