/**
 * Plugins and engines that have mounts of their own, as services have. Each scenario runs in a process and a mount
 * namespace of its own, on the built package.
 */
import { join } from "node:path";
import { test } from "vitest";
import { describeWith, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { runWithPrivateMounts } from "./private-mounts.ts";

const rows = byDayOrNight(
  [
    { driver: "overlay2", needs: [needs.root, needs.overlay] },
    { driver: "vfs", needs: [needs.root] },
  ],
  [{ driver: "fuse-overlayfs", needs: [needs.root, needs.fuseOverlayfs] }],
);

for (const row of rows) {
  describeWith(row.needs, row.driver, () => {
    test("an engine is refused exactly where it would not see the layers", async () => {
      await run("mountViews", row.driver);
    });
  });
}

describeWith([needs.root, needs.overlay], "overlay2 started again", () => {
  test("tells a running engine that it does not see the layers any more", async () => {
    await run("mountViewsAfterRestart", "overlay2");
  });
});

async function run(scenario: string, driver: string): Promise<void> {
  const program = join(import.meta.dirname, "scenarios/main.mjs");
  await runWithPrivateMounts((folder) => [process.execPath, program, scenario, driver, folder]);
}
