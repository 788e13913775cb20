/** Folders with a size on a kernel that has project quotas: Debian's, in a virtual machine. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWith, needs } from "../../../needs.ts";
import { runInMachine } from "../../virtual-machine/run-in-machine.ts";

const disks = [
  { size: "512M", mkfs: "mkfs.xfs -q -K" },
  { size: "512M", mkfs: "mkfs.ext4 -q -O quota,project" },
];
const timeoutMs = 600_000;

describeWith([needs.virtualMachine, needs.busybox, needs.xfs, needs.ext4], "folders with a size", () => {
  test(
    "hold no more, each by itself, say what they hold, and can be given another",
    { timeout: timeoutMs },
    async () => {
      const lines: string[] = [];
      const program = join(import.meta.dirname, "guest.mjs");
      await runInMachine({ program, disks, timeoutMs, onLine: (line) => lines.push(line) });
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([{ fileSystem: "xfs" }, { fileSystem: "ext4" }]);
    },
  );
});
