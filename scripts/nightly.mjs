/**
 * `npm run nightly [-- --cases N] [--driver NAME] [--seed S [--path P]]`: the random layers of `npm test`, ten thousand for
 * each driver. A case that fails is printed with its seed and path, with which it alone is run again.
 *
 * `npm run nightly -- --tests`: the tests that `npm test` leaves out for their time (`test/night.ts`).
 */
import { parseArgs } from "node:util";

import { installEngines, whyNotInstallable } from "./engines.mjs";
import { build, installPackages, main } from "./prepare.mjs";
import { releasesAtNight, testOnNode } from "./test-on-node.mjs";
import { createTestRuns } from "./test-runs.mjs";

const options = {
  tests: { type: "boolean", default: false },
  cases: { type: "string", default: "10000" },
  driver: { type: "string" },
  seed: { type: "string" },
  path: { type: "string" },
};

await main(() => {
  const { tests, cases, driver, seed, path } = parseArgs({ options }).values;
  installPackages();
  if (tests && whyNotInstallable() === undefined) installEngines();
  build();
  const runs = createTestRuns();
  const vitest = (project, files, env) => runs.vitest(["--project", project, ...files], { env });
  if (tests) {
    const env = { CLEAT_NIGHT: "1" };
    vitest(
      "kernel",
      [
        "graphdriver-kit.test",
        "graphdriver-hostile",
        "graphdriver-mount-views",
        "graphdriver-sizes",
        "breakout/race",
        "tar-differential",
        "crash-points",
        "kernel/power-loss",
      ],
      env,
    );
    vitest("package", ["fuzz"], env);
    vitest("interop", ["containerd-suite"], env);
    for (const release of releasesAtNight) testOnNode(release, { runs, isCi: process.env.CI === "true" });
    vitest(
      "engine",
      ["containers.test", "restarts", "store-exchange", "sizes-overlay2", "snapshotter", "volumes", "killed-loads"],
      env,
    );
  } else {
    vitest("kernel", ["graphdriver-properties"], {
      CLEAT_CASES: path === undefined ? cases : "1",
      ...(driver !== undefined && { CLEAT_DRIVER: driver }),
      ...(seed !== undefined && { CLEAT_SEED: seed }),
      ...(path !== undefined && { CLEAT_PATH: path }),
    });
  }
  process.exitCode = runs.end();
});
