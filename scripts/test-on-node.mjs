/** What a Node can make fail, on another one than runs this: some on the newest by day (`npm test`), all at night. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "./prepare.mjs";
import { nodeProgram, otherReleases } from "./unpacked/node-releases.mjs";

const testsOf = (tier, names) => names.map((name) => `test/${tier}/${name}.test.ts`);

/** They look at text, in which no Node finds another thing. */
const ofText = testsOf("package", ["docs", "layering"]);

/** What users build and run, and how processes end. */
const ofPackage = testsOf("package", ["packed", "serve-signals"]);

/** A few that make system calls of all kinds, in workers. */
const ofKernel = testsOf("kernel", [
  "graphdriver/overlay2",
  "breakout/walk",
  "breakout/openat2",
  "layer/overlay-changes",
]);

/** What a system call, a worker or a build meets on another Node. */
const kernelTests = ["--project", "kernel", ...ofKernel];
export const byDay = {
  releases: otherReleases.slice(-1),
  tests: [["--project", "unit"], ["--project", "package", ...ofPackage], kernelTests],
};
export const atNight = {
  releases: otherReleases,
  tests: [["--project", "unit", "--project", "package", ...ofText.map((path) => `--exclude=${path}`)], kernelTests],
};

/**
 * Runs `tests` on a release; one that is not there counts as a failure where all must be there. `options` are those of
 * a run.
 */
export async function testOnNode(release, tests, { runs, isCi, ...options }) {
  const program = nodeProgram(release);
  if (program === undefined) {
    const missing = `Node ${release} is not there (bring it with: sudo npm run engines)`;
    if (isCi) runs.fail(`CI must have everything: ${missing}`);
    else console.error(`cleat: not tested on another Node: ${missing}`);
    return;
  }
  // vitest passes over the name of a file that is not there, if it finds another.
  const gone = [...ofText, ...ofPackage, ...ofKernel].filter((path) => !existsSync(join(projectFolder, path)));
  if (gone.length > 0) runs.fail(`Node ${release} is to be tested with files that are not there: ${gone.join(", ")}`);
  for (const chosen of tests) {
    const title = `Node ${release}: ${chosen.join(" ")}`;
    console.error(`cleat: on ${title}`);
    await runs.vitest(chosen, { ...options, program, title });
  }
}
