/**
 * `npm test [-- filter]`: installs and builds what is missing, then runs the checks and every tier of tests that can
 * run here and, unless there is a filter, on the newest Node those that a Node can make fail. With CI=true, as root on
 * Debian, engines and Nodes are installed first, and a missing need is a failure.
 */
import { installEngines, whyNotInstallable } from "./engines.mjs";
import { build, installPackages, main } from "./prepare.mjs";
import { releasesByDay, testOnNode } from "./test-on-node.mjs";
import { createTestRuns } from "./test-runs.mjs";

await main(() => {
  installPackages();
  const isCi = process.env.CI === "true";
  if (isCi && whyNotInstallable() === undefined) installEngines({ machine: false });
  const filter = process.argv.slice(2);
  const runs = createTestRuns();
  try {
    build();
    runs.vitest(filter);
    if (filter.length === 0) for (const release of releasesByDay) testOnNode(release, { runs, isCi });
  } catch (error) {
    runs.fail(`nothing more was tested: ${error.message}`);
  }
  process.exitCode = runs.end();
});
