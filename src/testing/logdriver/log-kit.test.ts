/** What the kit for log drivers must find: one thing wrong at a time, in a plugin that is right otherwise. */
import { expect, test } from "vitest";
import type { LogDriver, LogEntry } from "../../logdriver/index.ts";
import { describeKit } from "../kit-faults.test.support.ts";
import { logDriverChecks } from "./checks/index.ts";
import { runLogDriverKit } from "./kit.ts";
import { logFaults } from "./log-faults.test.support.ts";
import { createMemoryLogs, rightLogs } from "./right-logs.test.support.ts";

describeKit({
  right: rightLogs,
  checks: logDriverChecks,
  faults: logFaults,
  // What is right takes as long as the machine is busy; what is wrong is not waited for.
  run: (options) => runLogDriverKit({ ...options, patienceMs: options.callTimeoutMs, refusals: "coded" }),
});

test("a driver in this process is checked without a wire", async () => {
  const results = await runLogDriverKit({ open: async () => createMemoryLogs() });
  expect(results.filter(({ outcome }) => outcome === "skipped").map(({ id }) => id)).toEqual(
    logDriverChecks.flatMap(({ id }) => (/^(restart|engine)|missing|stopped/.test(id) ? [id] : [])),
  );
  expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
});

test("a driver that keeps pieces one by one is not blamed for those that come later", async () => {
  const logs = createMemoryLogs();
  let shown = 0;
  const slow: LogDriver = {
    ...logs,
    async *readLogs(container, asked, call) {
      const entries: LogEntry[] = [];
      // Cleat's own plugin has joined them by now.
      for await (const entry of logs.readLogs?.(container, asked, call) ?? [])
        for (const part of Buffer.from(entry.line)
          .toString()
          .match(/.{1,4}/g) ?? [])
          entries.push({ ...entry, line: Buffer.from(part) });
      if (entries.length > 0) shown++;
      yield* entries.slice(0, shown);
    },
  };
  const results = await runLogDriverKit({ open: async () => slow, only: ["read/cut-lines"] });
  expect(results).toMatchObject([{ outcome: "passed" }]);
});
