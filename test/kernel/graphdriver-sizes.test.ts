import { join } from "node:path";
import { test } from "vitest";
import { runInMachine } from "./virtual-machine/run-in-machine.ts";
test("x", { timeout: 300_000 }, async () => {
  const t = Date.now();
  const lines = await runInMachine({ program: join(import.meta.dirname, "graphdriver/sizes/guest.mjs"), timeoutMs: 240_000,
    disks: [{ size: "512M", mkfs: "mkfs.xfs -q -K" }, { size: "512M", mkfs: "mkfs.ext4 -q -O quota,project" }] });
  console.log(lines.join("\n"), Date.now() - t);
});
