/** What a Node can make fail, on another one than runs this: the newest by day (`npm test`), those between at night. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "./prepare.mjs";
import { nodeProgram, otherReleases } from "./unpacked/node-releases.mjs";

const testsOf = (tier, names) => names.map((name) => `test/${tier}/${name}.test.ts`);

/** They look at text, in which no Node finds another thing. */
const ofText = testsOf("package", ["docs", "layering"]);

/** A few that make system calls of all kinds, in workers. */
const ofKernel = testsOf("kernel", [
  "graphdriver/overlay2",
  "breakout/walk",
  "breakout/openat2",
  "layer/overlay-changes",
]);

/** What a system call, a worker or a build meets on another Node. */
const tests = [
  ["--project", "unit", "--project", "package", ...ofText.map((path) => `--exclude=${path}`)],
  ["--project", "kernel", ...ofKernel],
];

export const releasesByDay = otherReleases.slice(-1);
export const releasesAtNight = otherReleases.slice(0, -1);

/** Counts a release that is not there as a failure where all must be there. `options` are those of a run. */
export async function testOnNode(release, { runs, isCi, ...options }) {
  const program = nodeProgram(release);
  if (program === undefined) {
    const missing = `Node ${release} is not there (bring it with: sudo npm run engines)`;
    if (isCi) runs.fail(`CI must have everything: ${missing}`);
    else console.error(`cleat: not tested on another Node: ${missing}`);
    return;
  }
  // vitest passes over the name of a file that is not there, if it finds another.
  const gone = [...ofText, ...ofKernel].filter((path) => !existsSync(join(projectFolder, path)));
  if (gone.length > 0) runs.fail(`Node ${release} is to be tested with files that are not there: ${gone.join(", ")}`);
  for (const chosen of tests) {
    const title = `Node ${release}: ${chosen.join(" ")}`;
    console.error(`cleat: on ${title}`);
    await runs.vitest(chosen, { ...options, program, title });
  }
}
