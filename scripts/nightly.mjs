/**
 * `npm run nightly [-- --cases N] [--driver NAME] [--seed S [--path P]]`: the random layers of `npm test`, ten thousand for
 * each driver. A case that fails is printed with its seed and path, with which it alone is run again.
 */
import { parseArgs } from "node:util";

import { build, installPackages, main, packageCommand, run } from "./prepare.mjs";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "10000" },
    driver: { type: "string" },
    seed: { type: "string" },
    path: { type: "string" },
  },
});

await main(() => {
  installPackages();
  build();
  const { cases, driver, seed, path } = values;
  const env = {
    ...process.env,
    CLEAT_CASES: path === undefined ? cases : "1",
    ...(seed !== undefined && { CLEAT_SEED: seed }),
    ...(path !== undefined && { CLEAT_PATH: path }),
  };
  const only = ["-t", `^${driver ?? "\\S+"} random layers`];
  const file = "test/kernel/graphdriver-properties.test.ts";
  process.exitCode = run(packageCommand("vitest"), ["run", "--project", "kernel", file, ...only], { env });
});
