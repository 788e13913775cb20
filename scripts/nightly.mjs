/** The tests that take a night: `usage` is the manual. */
import { parseArgs } from "node:util";

import { installEngines, whyNotInstallable } from "./engines.mjs";
import { build, installPackages, main } from "./prepare.mjs";
import { atNight, testOnNode } from "./test-on-node.mjs";
import { createTestRuns } from "./test-runs.mjs";
import { answerHelp } from "./usage.mjs";

answerHelp(`usage: npm run nightly -- [--cases N] [--driver NAME] [--seed S [--path P]]
       npm run nightly -- --tests [--only TEXT]

The random layers of npm test, ten thousand (--cases) for each driver, or for one. A case that fails is printed with
its seed and path, with which it alone is run again.

With --tests what npm test leaves out for its time (test/night.ts), and a table of its parts and rows with counts and
seconds; --only runs the parts whose titles hold the text.
`);

const arm64Title = "arm64 in a virtual machine";

/**
 * What `test/night.ts` is asked in, and what `vitest.config.ts` leaves to the night; each with its title in the table.
 */
const parts = [
  ["drivers' kit", "kernel", ["graphdriver/kit"]],
  ["hostile machines", "kernel", ["graphdriver/hostile", "graphdriver/mount-views", "graphdriver/namespace"]],
  ["stores and decisions", "kernel", ["graphdriver/store", "graphdriver/decision"]],
  ["races of an extractor", "kernel", ["breakout/race"]],
  ["archives beside GNU tar, libarchive and Go", "kernel", ["tar/differential"]],
  ["processes killed at each system call", "kernel", ["crash-points"]],
  ["system calls that fail", "kernel", ["error-points"]],
  ["power lost in a virtual machine", "kernel", ["kernel/power-loss"]],
  [arm64Title, "kernel", ["kernel/arm64"]],
  ["fuzzers", "package", ["fuzz"]],
  ["sizes in a virtual machine", "kernel", ["graphdriver/sizes"]],
  ["shares in a virtual machine", "kernel", ["volumes/shares"]],
  ["snapshotters' kit", "kernel", ["snapshotter"]],
  ["containerd's own suite", "interop", ["containerd-suite"]],
  ["cleat snapshots", "interop", ["snapshots-command"]],
  ["graph drivers under engines", "engine", ["containers.test", "restarts", "stores/exchange", "sizes-overlay2"]],
  [
    "archives under engines",
    "engine",
    ["exact-diffs", "tar-split", "user-namespaces", "killed-calls", "import-docker"],
  ],
  ["snapshotters under engines", "engine", ["snapshotter"]],
  ["volumes under engines", "engine", ["volumes"]],
  ["other plugins under engines", "engine", ["engine/plugins"]],
  ["engines and plugins killed during loads", "engine", ["killed-loads"]],
];

const options = {
  tests: { type: "boolean", default: false },
  only: { type: "string" },
  cases: { type: "string", default: "10000" },
  driver: { type: "string" },
  seed: { type: "string" },
  path: { type: "string" },
};

await main(async () => {
  const { tests, only, cases, driver, seed, path } = parseArgs({ options }).values;
  installPackages();
  const isMeant = (title) => only === undefined || title.includes(only);
  if (tests && whyNotInstallable() === undefined) installEngines({ arm64: isMeant(arm64Title) });
  build();
  const runs = createTestRuns();
  if (tests) {
    for (const [title, project, files] of parts)
      if (isMeant(title)) await runs.vitest(["--project", project, ...files], { env: { CLEAT_NIGHT: "1" }, title });
    for (const release of atNight.releases)
      if (isMeant(`Node ${release}`))
        await testOnNode(release, atNight.tests, { runs, isCi: process.env.CI === "true" });
    runs.printTable();
  } else {
    const env = {
      CLEAT_CASES: path === undefined ? cases : "1",
      ...(driver !== undefined && { CLEAT_DRIVER: driver }),
      ...(seed !== undefined && { CLEAT_SEED: seed }),
      ...(path !== undefined && { CLEAT_PATH: path }),
    };
    await runs.vitest(["--project", "kernel", "graphdriver/properties"], { env });
  }
  process.exitCode = runs.end();
});
