/** What a Node can make fail, on another one than runs this: the newest by day (`npm test`), those between at night. */
import { nodeProgram, otherReleases } from "./unpacked/node-releases.mjs";

/** What a system call, a worker or a build meets on another Node; of the kernel's tests a few that use all of them. */
const tests = [
  ["--project", "unit", "--project", "package"],
  ["--project", "kernel", "graphdriver-overlay2", "layer-breakout", "layer-overlay-changes"],
];

export const releasesByDay = otherReleases.slice(-1);
export const releasesAtNight = otherReleases.slice(0, -1);

/** Counts a release that is not there as a failure where all must be there. */
export function testOnNode(release, { runs, isCi }) {
  const program = nodeProgram(release);
  if (program !== undefined) {
    for (const chosen of tests) {
      console.error(`cleat: on Node ${release}: ${chosen.join(" ")}`);
      runs.vitest(chosen, { program, title: `Node ${release}: ${chosen.join(" ")}` });
    }
    return;
  }
  const missing = `Node ${release} is not there (bring it with: sudo npm run engines)`;
  if (isCi) runs.fail(`CI must have everything: ${missing}`);
  else console.error(`cleat: not tested on another Node: ${missing}`);
}
