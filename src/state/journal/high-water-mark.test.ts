import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { openHighWaterMark } from "./high-water-mark.ts";

const warn = () => expect.unreachable();

it("is noted at once after a while, and what follows soon with the last of it, when it is closed, too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cleat-mark-"));
  const path = `${folder}/mark`;
  const kept = () => (JSON.parse(readFileSync(path, "latin1")) as { seq: number }).seq;
  const mark = await openHighWaterMark(path, warn, { everyMs: 500 });
  mark.note(1);
  await vi.waitFor(() => expect(kept()).toBe(1));
  for (const seq of [2, 3, 4]) {
    mark.note(seq);
    await nextTurn();
  }
  expect(kept()).toBe(1);
  await mark.close();
  expect(kept()).toBe(4);
  rmSync(folder, { recursive: true });
});
