/** The example of a network driver under its kit, with bridges and pairs of links in a network of its own. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { buildExample } from "../../harness/plugins/example.ts";
import { describeWith, needs } from "../../needs.ts";

describeWith([needs.root], "the example of a network driver", () => {
  test("passes every check of cleat check, killed between any two calls", async () => {
    const folder = await mkdtemp("/var/tmp/cleat-network-");
    try {
      const programs = await buildExample("network-driver", join(folder, "example"));
      const socket = join(folder, "bridges.sock");
      const restart = `${process.execPath} ${programs}/bridge.js ${socket} ${folder}/state`;
      const check = `"$0" ${resolve("dist/cli/main.js")} check ${socket} --restart '${restart}'`;
      const script = `ip link set lo up && exec ${check}`;
      const own = ["--mount", "--net", "--propagation", "private", "sh", "-c", script, process.execPath];
      const { stdout } = await promisify(execFile)("unshare", own, { timeout: 500_000, killSignal: "SIGKILL" });
      expect(stdout).toMatch(/^# passed \d{2}, failed 0, advice 0, known 0, skipped 0$/m);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
