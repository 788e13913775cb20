/**
 * `npm test [-- filter]`: installs and builds what is missing, then runs the checks and every tier of tests that can run
 * here and, unless there is a filter, on other Nodes those that a Node can make fail. With CI=true, as root on Debian, engines and
 * Nodes are installed first, and a missing need is a failure.
 */
import { installEngines, whyNotInstallable } from "./engines.mjs";
import { nodeProgram, otherReleases } from "./node-releases.mjs";
import { build, installPackages, main } from "./prepare.mjs";
import { createTestRuns } from "./test-runs.mjs";

/** What a system call, a worker or a build meets on another Node; of the kernel's tests a few that use all of them. */
const onOtherNodes = [
  ["--project", "unit", "--project", "package"],
  ["--project", "kernel", "graphdriver-overlay2", "layer-breakout", "layer-overlay-changes"],
];

await main(() => {
  installPackages();
  const isCi = process.env.CI === "true";
  if (isCi && whyNotInstallable() === undefined) installEngines({ machine: false });
  const filter = process.argv.slice(2);
  const runs = createTestRuns();
  try {
    build();
    runs.vitest(filter);
    if (filter.length === 0) for (const release of otherReleases) testOn(release, { runs, isCi });
  } catch (error) {
    runs.fail(`nothing more was tested: ${error.message}`);
  }
  process.exitCode = runs.end();
});

function testOn(release, { runs, isCi }) {
  const program = nodeProgram(release);
  if (program !== undefined) {
    for (const tests of onOtherNodes) {
      console.error(`cleat: on Node ${release}: ${tests.join(" ")}`);
      runs.vitest(tests, { program });
    }
    return;
  }
  const missing = `Node ${release} is not there (bring it with: sudo npm run engines)`;
  if (isCi) runs.fail(`CI must have everything: ${missing}`);
  else console.error(`cleat: not tested on another Node: ${missing}`);
}
