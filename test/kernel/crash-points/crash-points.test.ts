/**
 * `kill -9` before each system call that changes something, of create, apply, remove and a snapshotter's prepare and
 * commit.
 */
import { join } from "node:path";
import { expect, test } from "vitest";

import { describeWith, type Need, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { type LoopFileSystem, runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

const program = join(import.meta.dirname, "main.mjs");

interface Row {
  readonly driver: string;
  readonly needs: readonly Need[];
  readonly fileSystem?: LoopFileSystem;
}

const overlay2: Row = { driver: "overlay2", needs: [needs.root, needs.overlay] };
const rows = byDayOrNight<Row>(
  [overlay2],
  [
    overlay2,
    { driver: "fuse-overlayfs", needs: [needs.root, needs.overlay, needs.fuseOverlayfs] },
    { driver: "btrfs", needs: [needs.root, needs.loopDevices, needs.btrfs], fileSystem: "btrfs" },
    { driver: "vfs", needs: [needs.root] },
  ],
);
const operations = byDayOrNight(
  ["create of a spare", "apply", "prepare"],
  ["create", "create of a spare", "apply", "apply with exact diffs", "remove", "prepare", "commit"],
);
/** One call in so many. */
const [every] = byDayOrNight([12], [1]) as [number];

for (const { driver, needs: required, fileSystem } of rows) {
  describeWith(required, `killed at a system call, ${driver}`, () => {
    test.each(operations)("has done %s, or not begun it", async (operation) => {
      const lines: string[] = [];
      const command = (folder: string) => [process.execPath, program, operation, driver, String(every), folder];
      await runWithPrivateMounts(command, { fileSystem, onLine: (line) => lines.push(line) });
      const { points, failures } = JSON.parse(lines.at(-1) ?? "") as { points: number; failures: string[] };
      console.log(`${driver}, ${operation}: killed at ${points} points`);
      expect(failures).toEqual([]);
      expect(points).toBeGreaterThan(1);
    });
  });
}
