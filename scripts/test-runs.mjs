/** Several runs of vitest, also side by side, that end in one line of counts and one exit code. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { createMemoryDisk } from "./memory-disk.mjs";
import { projectFolder } from "./prepare.mjs";

const vitestEntry = join(projectFolder, "node_modules/vitest/vitest.mjs");
const states = ["passed", "failed", "skipped"];

/** `--maxWorkers` does not reach projects, which have what `vitest.config.ts` says (vitest 4.1). */
const oneFileAtATime = ["--no-file-parallelism"];

export function createTestRuns() {
  // Beside what vitest itself writes; folders for temporary files may be under the disk in memory.
  const folder = mkdtempSync(join(projectFolder, "node_modules/.cleat-runs-"));
  const disk = createMemoryDisk();
  const parts = [];
  let started = 0;
  const total = (state) => sumOf(parts.map((part) => part[state]));
  return {
    /**
     * Runs vitest, with `program` as the Node of all that it starts; a run that fails without having counted a failure
     * counts as one. One that is `beside` another takes one file at a time, and what it says is printed when it has
     * ended.
     */
    async vitest(args, { program = process.execPath, env = {}, title = args.join(" "), beside = false } = {}) {
      const counts = join(folder, `counts-${++started}.jsonl`); // test/reporter/closing-line.ts writes it
      const said = join(folder, `said-${started}.log`);
      const startMs = performance.now();
      const argv = [program, vitestEntry, "run", ...(beside ? oneFileAtATime : []), ...args];
      const exitCode = await runOn(disk.wrap(argv), beside ? said : undefined, {
        ...process.env,
        ...disk.env,
        ...env,
        PATH: `${dirname(program)}${delimiter}${process.env.PATH}`,
        CLEAT_COUNTS: counts,
      });
      if (beside) process.stdout.write(`cleat: ${title} says:\n${readFileSync(said, "utf8")}`);
      const part = { title, ...readCounts(counts), seconds: Math.round((performance.now() - startMs) / 1000) };
      parts.push(part);
      console.error(`cleat: ${title}: ${part.seconds} s`);
      if (exitCode !== 0 && part.failed === 0) this.fail(`vitest ended with ${exitCode}, and told of no failure`);
    },
    /** Counts what kept tests from being run as a failure. */
    fail(reason) {
      console.error(`cleat: ${reason}`);
      parts.push({ title: reason, passed: 0, failed: 1, skipped: 0, seconds: 0, rows: [], failures: [reason] });
    },
    /** Prints what each part counted and how long it took, with its rows where there are several. */
    printTable() {
      console.log("passed failed skipped seconds");
      for (const part of parts) {
        printRow(part, "");
        if (part.rows.length > 1) for (const row of part.rows) printRow(row, "  ");
      }
    },
    /**
     * Prints what failed in any of them, of which whoever sees the end of a long log may have missed the first, and
     * what all counted as the last line; returns the exit code.
     */
    end() {
      rmSync(folder, { recursive: true });
      for (const { failures } of parts) for (const failure of failures) console.log(`failed: ${failure}`);
      console.log(states.map((state) => `${total(state)} ${state}`).join(", "));
      return total("failed") === 0 ? 0 : 1;
    },
  };
}

/**
 * Resolves to its exit code, the signal that ended it, or why it could not be started. What it says goes to the file,
 * or where ours goes.
 */
async function runOn([command, ...args], file, env) {
  const output = file === undefined ? "inherit" : openSync(file, "w");
  const stdio = [file === undefined ? "inherit" : "ignore", output, output];
  const child = spawn(command, args, { cwd: projectFolder, stdio, env });
  if (file !== undefined) closeSync(output);
  const [exitCode, signal] = await once(child, "exit").catch((error) => [error.message]);
  return exitCode ?? signal;
}

function readCounts(file) {
  const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  const counted = lines.map((line) => JSON.parse(line));
  return {
    ...Object.fromEntries(states.map((state) => [state, sumOf(counted.map((one) => one[state]))])),
    rows: counted.flatMap(({ rows }) => rows),
    failures: counted.flatMap(({ failures }) => failures),
  };
}

function printRow({ title, passed, failed, skipped, seconds }, indent) {
  const numbers = [passed, failed, skipped, seconds].map((number, at) => String(number).padStart([6, 6, 7, 7][at]));
  console.log(`${numbers.join(" ")}  ${indent}${title}`);
}

function sumOf(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}
