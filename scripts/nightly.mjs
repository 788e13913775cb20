/**
 * `npm run nightly [-- --cases N] [--driver NAME] [--seed S [--path P]]`: the random layers of `npm test`, ten thousand for
 * each driver. A case that fails is printed with its seed and path, with which it alone is run again.
 *
 * `npm run nightly -- --tests`: the tests that `npm test` leaves out for their time (`test/night.ts`).
 */
import { parseArgs } from "node:util";

import { installEngines, whyNotInstallable } from "./engines.mjs";
import { build, installPackages, main, packageCommand, run } from "./prepare.mjs";

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
  const vitest = (project, files, env) => {
    const command = ["run", "--project", project, ...files];
    const exitCode = run(packageCommand("vitest"), command, { env: { ...process.env, ...env } });
    process.exitCode ||= exitCode; // what failed before keeps nothing from being run
  };
  if (tests) {
    vitest("kernel", ["graphdriver-kit.test", "graphdriver-hostile", "graphdriver-sizes"], { CLEAT_NIGHT: "1" });
    vitest("engine", ["containers.test", "restarts", "store-exchange", "sizes-overlay2", "volumes"], {
      CLEAT_NIGHT: "1",
    });
    return;
  }
  vitest("kernel", ["graphdriver-properties"], {
    CLEAT_CASES: path === undefined ? cases : "1",
    ...(driver !== undefined && { CLEAT_DRIVER: driver }),
    ...(seed !== undefined && { CLEAT_SEED: seed }),
    ...(path !== undefined && { CLEAT_PATH: path }),
  });
});
