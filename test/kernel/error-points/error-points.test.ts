/** System calls that fail, each in its turn, with each of their errors: of layers, snapshots, state and volumes. */
import { join } from "node:path";
import { expect, test } from "vitest";

import { describeWith, type Need, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { type LoopFileSystem, runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

const harness = join(import.meta.dirname, "../../harness/processes/fail-at-system-call.mjs");
const program = join(import.meta.dirname, "main.mjs");

interface Row {
  /** What it is that fails: a driver, a type of volumes. */
  readonly subject: string;
  readonly needs: readonly Need[];
  readonly operations: readonly string[];
  readonly fileSystem?: LoopFileSystem;
  /** One call in so many, with one of its errors; 1: each with all. */
  readonly every: number;
}

const overlay2 = { subject: "overlay2", needs: [needs.root, needs.overlay] };
const ofLayers = ["create", "apply", "apply with exact diffs", "remove", "get"];
const ofSnapshots = ["prepare snapshot", "view snapshot", "update snapshot", "commit", "remove snapshot"];
/** Makes hundreds of calls, most of them to find out what the machine can do. */
const opening = ["open", "open snapshotter"];
const ofVolumes = ["create volume", "mount volume", "unmount volume", "remove volume", "open volumes"];
const btrfs = { subject: "btrfs", needs: [needs.root, needs.loopDevices, needs.btrfs], fileSystem: "btrfs" } as const;
const fuseOverlayfs = { subject: "fuse-overlayfs", needs: [needs.root, needs.overlay, needs.fuseOverlayfs] };
const vfs = { subject: "vfs", needs: [needs.root] };
const image = { subject: "image", needs: [needs.root, needs.loopDevices, needs.ext4] };
const local = { subject: "local", needs: [needs.root] };
const store = { subject: "store", needs: [needs.root] };

const rows = byDayOrNight<Row>(
  [
    { ...overlay2, operations: ["apply"], every: 9 },
    { ...overlay2, operations: ["prepare snapshot"], every: 5 },
    { ...store, operations: ["transact"], every: 1 },
    { ...store, operations: ["open store"], every: 3 },
    { ...local, operations: ["create volume"], every: 3 },
  ],
  [
    { ...overlay2, operations: [...ofLayers, ...ofSnapshots], every: 1 },
    { ...overlay2, operations: opening, every: 7 },
    { ...btrfs, operations: [...ofLayers, ...ofSnapshots], every: 1 },
    { ...btrfs, operations: opening, every: 3 },
    { ...vfs, operations: ofLayers, every: 1 },
    { ...vfs, operations: ["open"], every: 3 },
    { ...fuseOverlayfs, operations: ofLayers, every: 1 },
    { ...fuseOverlayfs, operations: ["open"], every: 3 },
    { ...store, operations: ["put", "transact", "delete", "write anew", "open store"], every: 1 },
    { ...local, operations: ofVolumes, every: 1 },
    { ...image, operations: [...ofVolumes, "resize volume"], every: 1 },
  ],
);

for (const { subject, needs: required, operations, fileSystem, every } of rows) {
  describeWith(required, `a system call that fails, ${subject}`, () => {
    test.each(operations)("leaves %s done or not begun, and told", async (operation) => {
      const lines: string[] = [];
      const args = [operation, subject, String(every)];
      const command = (folder: string) => [process.execPath, "--import", harness, program, ...args, folder];
      await runWithPrivateMounts(command, { fileSystem, onLine: (line) => lines.push(line) });
      const { injected, problems } = JSON.parse(lines.at(-1) ?? "") as Outcome;
      const counts = Object.values(injected);
      const failures = counts.reduce((sum, count) => sum + count, 0);
      console.log(`${subject}, ${operation}: ${failures} failures, ${counts.length} of calls and errors`);
      expect(problems).toEqual([]);
      expect(failures).toBeGreaterThan(0);
    });
  });
}

interface Outcome {
  /** How often, by call and error. */
  readonly injected: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}
