/**
 * The power fails at every flush of the disk and between: 200 states or more of what it may hold then, of each file
 * system. By day a few of one.
 */
import { join } from "node:path";
import { expect, test } from "vitest";

import { describeWith, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

const program = join(import.meta.dirname, "main.mjs");
const [rounds, count] = byDayOrNight([1, 4], [8, 200]) as [number, number];

interface Row {
  readonly fileSystem: "ext4" | "xfs" | "btrfs";
  readonly kind: "layers" | "snapshots" | "records";
  /** Of records, what keeps them. */
  readonly driver: string;
}

const rows = byDayOrNight<Row>(
  [{ fileSystem: "ext4", kind: "layers", driver: "overlay2" }],
  [
    { fileSystem: "ext4", kind: "layers", driver: "overlay2" },
    { fileSystem: "xfs", kind: "layers", driver: "overlay2" },
    { fileSystem: "btrfs", kind: "layers", driver: "btrfs" },
    { fileSystem: "btrfs", kind: "layers", driver: "vfs" },
    { fileSystem: "ext4", kind: "layers", driver: "vfs" },
    { fileSystem: "ext4", kind: "snapshots", driver: "overlay2" },
    { fileSystem: "xfs", kind: "snapshots", driver: "overlay2" },
    { fileSystem: "btrfs", kind: "snapshots", driver: "btrfs" },
    { fileSystem: "btrfs", kind: "snapshots", driver: "vfs" },
    { fileSystem: "ext4", kind: "records", driver: "state" },
    { fileSystem: "xfs", kind: "records", driver: "state" },
    { fileSystem: "btrfs", kind: "records", driver: "state" },
  ],
);

interface Outcome {
  readonly states: number;
  /** By what was said of them, and what they are. */
  readonly tally: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
}

for (const { fileSystem, kind, driver } of rows) {
  const required = [needs.root, needs.overlay, needs.loopDevices, needs.recordedDisks, needs[fileSystem]];
  describeWith(required, `${kind} of ${driver} on ${fileSystem}`, () => {
    test("that were acknowledged are whole when the power fails", async () => {
      const { states, failures } = await look(fileSystem, kind, driver, "layer");
      expect(failures).toEqual([]);
      expect(states).toBeGreaterThanOrEqual(count);
    });
  });
}

describeWith([needs.root, needs.overlay, needs.loopDevices, needs.recordedDisks, needs.ext4], "durability none", () => {
  test.runIf(rows.length > 1)("may lose layers that were acknowledged", async () => {
    const { tally } = await look("ext4", "layers", "overlay2", "none");
    expect(tally["whole: absent"]).toBeGreaterThan(0);
  });
});

const withoutDurability = [
  { fileSystem: "ext4", driver: "overlay2" },
  { fileSystem: "xfs", driver: "overlay2" },
  { fileSystem: "btrfs", driver: "btrfs" },
] as const;

for (const { fileSystem, driver } of byDayOrNight([], [...withoutDurability])) {
  const required = [needs.root, needs.overlay, needs.loopDevices, needs.recordedDisks, needs[fileSystem]];
  describeWith(required, `snapshots of ${driver} on ${fileSystem} with durability none`, () => {
    test("lose no record, whatever of their files, and show nothing of others'", async () => {
      const { states, tally, failures } = await look(fileSystem, "snapshots", driver, "none");
      expect(failures).toEqual([]);
      expect(states).toBeGreaterThanOrEqual(count);
      expect(tally["whole: damaged"]).toBeGreaterThan(0);
    });
  });
}

async function look(...subject: readonly string[]): Promise<Outcome> {
  const lines: string[] = [];
  const args = [...subject, String(rounds), String(count)];
  const command = (folder: string) => [process.execPath, program, ...args, folder];
  await runWithPrivateMounts(command, { onLine: (line) => lines.push(line) });
  const outcome = JSON.parse(lines.at(-1) ?? "") as Outcome;
  console.log(`${subject.join(" ")}: ${outcome.states} states: ${JSON.stringify(outcome.tally)}`);
  return outcome;
}
