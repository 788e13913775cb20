/**
 * Nodes that users have beside the oldest one that Cleat runs on, which tests run on: npm's packages of Node, in
 * folders of their own.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "../prepare.mjs";
import { cacheFolder, makeFolder } from "./staged-folder.mjs";

const releases = ["22", "24"];

/** The package of the program for this processor, which unlike `node` needs no install script. */
const packageName = `node-linux-${process.arch}`;

/** Releases other than the one that runs this. */
export const otherReleases = releases.filter((release) => !process.version.startsWith(`v${release}.`));

/** The program of a release, or undefined where it is not there. */
export function nodeProgram(release) {
  const program = join(folderOf(release), "node_modules", packageName, "bin/node");
  return existsSync(program) ? program : undefined;
}

/** Fetches a release, unless it is there; 5 s. Says first what, how much and where to. */
export function fetchNode(release) {
  if (nodeProgram(release) !== undefined) return;
  const folder = folderOf(release);
  console.error(`cleat: fetching ${packageName}@${release} with npm into ${folder}: 52 MB to fetch, 190 MB on disk`);
  makeFolder(folder, (staged) => {
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", `--prefix=${staged}`];
    const status = run("npm", ["install", ...options, `${packageName}@${release}`], { stdio: ["ignore", 2, 2] });
    if (status !== 0) throw new Error(`npm install ${packageName}@${release} ended with code ${status}`);
  });
}

function folderOf(release) {
  return join(cacheFolder, "nodes", release);
}
