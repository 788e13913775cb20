/**
 * `npm run nightly [-- --cases N] [--driver NAME] [--seed S [--path P]]`: the random layers of `npm test`, ten thousand for
 * each driver. A case that fails is printed with its seed and path, with which it alone is run again.
 *
 * `npm run nightly -- --kit`: the conformance kit on the pairs of drivers, file systems and doors that `npm test` leaves out.
 */
import { parseArgs } from "node:util";

import { build, installPackages, main, packageCommand, run } from "./prepare.mjs";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "10000" },
    driver: { type: "string" },
    seed: { type: "string" },
    path: { type: "string" },
    kit: { type: "boolean", default: false },
  },
});

await main(() => {
  installPackages();
  build();
  const vitest = (file, only, env) => {
    const command = ["run", "--project", "kernel", file, ...only];
    process.exitCode = run(packageCommand("vitest"), command, { env: { ...process.env, ...env } });
  };
  const { cases, driver, seed, path, kit } = values;
  if (kit) {
    vitest("test/kernel/graphdriver-kit.test.ts", driver === undefined ? [] : ["-t", `^${driver} `], {
      CLEAT_KIT: "nightly",
    });
    return;
  }
  const env = {
    CLEAT_CASES: path === undefined ? cases : "1",
    ...(seed !== undefined && { CLEAT_SEED: seed }),
    ...(path !== undefined && { CLEAT_PATH: path }),
  };
  const only = ["-t", `^${driver ?? "\\S+"} random layers`];
  vitest("test/kernel/graphdriver-properties.test.ts", only, env);
});
