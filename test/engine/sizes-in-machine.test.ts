import { join } from "node:path";
import { test } from "vitest";
import { runInMachine } from "../kernel/virtual-machine/run-in-machine.ts";
test("x", { timeout: 900_000 }, async () => {
  await runInMachine({
    program: join(import.meta.dirname, "sizes-in-machine/guest.mjs"),
    timeoutMs: 800_000,
    commands: ["dockerd", "/usr/bin/docker", "containerd", "containerd-shim-runc-v2", "runc"],
    disks: [{ size: "1G", mkfs: "mkfs.xfs -q -K" }],
    onLine: (l) => void process.stderr.write(`${new Date().toISOString()} ${l}\n`),
  });
});
