import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { openJournalFiles } from "../../src/state/journal/journal-files.ts";
import { openRecords } from "../../src/snapshotter/records/records.ts";

test("a snapshotter that is killed at any moment has all that it acknowledged, and gives no number twice", async () => {
  const root = await mkdtemp(join(tmpdir(), "cleat-killed-"));
  const program = join(import.meta.dirname, "snapshotter-killed.mjs");
  /** What was acknowledged, over all runs; `undecided` may be there or not. */
  const there = new Set<string>();
  const undecided = new Set<string>();
  try {
    for (let run = 0; run < 6; run++) {
      const child = spawn(process.execPath, [program, root, String(run)], { stdio: ["ignore", "pipe", "inherit"] });
      const ended = once(child, "exit");
      const killAfter = 40 + 97 * run;
      let lines = 0;
      for await (const line of createInterface(child.stdout)) {
        const name = line.slice(1);
        if (line.startsWith("?")) undecided.add(name);
        if (line.startsWith("-")) undecided.delete(name);
        if (line.startsWith("-") || line.startsWith("?")) there.delete(name);
        if (line.startsWith("+")) there.add(name);
        if (line.startsWith("+") && !name.endsWith(" key")) undecided.delete(`${name} key`);
        if (++lines === killAfter) child.kill("SIGKILL");
      }
      expect(await ended).toEqual([null, "SIGKILL"]);

      const places = new Set((await readdir(join(root, "places"))).map(Number));
      const records = await openRecords(await openJournalFiles(join(root, "records")), { usedId: Math.max(...places) });
      const all = records.all();
      await records.close();
      const names = new Set(all.map(({ name }) => name));
      expect([...there].filter((name) => !names.has(name))).toEqual([]);
      expect(all.filter(({ id }) => !places.has(id))).toEqual([]);
      // What was begun and not acknowledged is there or not: at most one of each worker, and then it is whole.
      const more = all.filter(({ name }) => !there.has(name) && !undecided.has(name));
      expect(more.length).toBeLessThanOrEqual(20 * (run + 1));
      expect(all.filter(({ name, labels }) => !name.startsWith(labels["name"] as string))).toEqual([]);
    }
  } finally {
    await rm(root, { recursive: true });
  }
});
