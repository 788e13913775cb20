/** Everything that can be tested here: `usage` is the manual. */
import { installEngines, whyNotInstallable } from "./engines.mjs";
import { build, installPackages, main } from "./prepare.mjs";
import { byDay, testOnNode } from "./test-on-node.mjs";
import { createTestRuns } from "./test-runs.mjs";
import { answerHelp } from "./usage.mjs";

answerHelp(`usage: npm test [-- FILTER…]

Installs and builds what is missing, then runs the checks and every tier of tests that can run here and, without a
filter, on the newest Node those that a Node can make fail. A filter is vitest's: a part of a file's path, or its
options (-t NAME, --project unit).

With CI=true, as root on Debian, engines and Nodes are installed first, and a missing need is a failure.
`);

/** What takes all that the processors have, and what waits for engines and mounts much of its time. */
const tiers = {
  busy: ["unit", "checks", "package"],
  waiting: ["kernel", "interop", "engine"],
};

await main(async () => {
  installPackages();
  const isCi = process.env.CI === "true";
  if (isCi && whyNotInstallable() === undefined) installEngines({ machine: false });
  const filter = process.argv.slice(2);
  const runs = createTestRuns();
  try {
    build();
    if (filter.length === 0) await runAll(runs, isCi);
    else await runs.vitest(filter);
  } catch (error) {
    runs.fail(`nothing more was tested: ${error.message}`);
  }
  process.exitCode = runs.end();
});

/** The other Node takes what the tiers leave that wait. */
async function runAll(runs, isCi) {
  const projects = (names) => names.flatMap((name) => ["--project", name]);
  await runs.vitest(projects(tiers.busy));
  const other = async () => {
    for (const release of byDay.releases) await testOnNode(release, byDay.tests, { runs, isCi, beside: true });
  };
  await Promise.all([runs.vitest(projects(tiers.waiting)), other()]);
}
