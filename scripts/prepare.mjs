/**
 * What has to be there before anything of Cleat runs: the packages that the lock file names, and a build that is newer
 * than its source. Only Node's own modules are used here, because on a fresh clone nothing else exists.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const projectFolder = dirname(dirname(fileURLToPath(import.meta.url)));
export const cliEntry = join(projectFolder, "dist/cli/main.js");

/**
 * Runs a program of this project's in the foreground and returns its exit code; that of one that a signal ended is the
 * shell's.
 */
export function run(command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, { cwd: projectFolder, stdio: "inherit", ...options });
  if (error) throw error;
  return status ?? 128 + constants.signals[signal];
}

/** The path of a command that a package in `node_modules` brings. */
export function packageCommand(name) {
  return join(projectFolder, "node_modules/.bin", name);
}

/** Installs what the lock file says, unless that is what is there. Costs a few milliseconds when it is. */
export function installPackages() {
  if (packagesAreInstalled()) return;
  console.error("cleat: installing the packages of package-lock.json (npm ci)");
  const status = run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`npm ci ended with code ${status}`);
}

/** npm writes what it installed into `node_modules/.package-lock.json`; optional packages may be missing from it. */
function packagesAreInstalled() {
  const record = join(projectFolder, "node_modules/.package-lock.json");
  if (!existsSync(record)) return false;
  const installed = readPackages(record);
  const wanted = readPackages(join(projectFolder, "package-lock.json"));
  return Object.entries(wanted).every(([folder, { version, optional }]) =>
    folder === "" ? true : installed[folder] ? installed[folder].version === version : optional === true,
  );
}

function readPackages(lockFile) {
  return JSON.parse(readFileSync(lockFile, "utf8")).packages;
}

/** Compiles `src` to `dist` (`npm run build`), unless `dist` is newer than everything it is made from. */
export function build() {
  if (existsSync(cliEntry) && newestChange() <= statSync(cliEntry).mtimeMs) return;
  console.error("cleat: building (tsc)");
  const status = run("npm", ["run", "--silent", "build"], { stdio: ["ignore", 2, 2] });
  if (status === 0) return;
  // tsc writes files although it found errors; what is half right must not pass for a build next time.
  rmSync(cliEntry, { force: true });
  throw new Error("the build failed: see the errors of tsc above");
}

function newestChange() {
  const source = join(projectFolder, "src");
  const files = readdirSync(source, { recursive: true }).map((name) => join(source, name));
  const others = ["scripts/bundle-commands.mjs", "tsconfig.json", "tsconfig.build.json", "package-lock.json"];
  const settings = others.map((name) => join(projectFolder, name));
  return Math.max(...[...files, ...settings].map((path) => statSync(path).mtimeMs));
}

/** Runs a script's steps; a failure is one line on standard error and exit code 1. */
export async function main(steps) {
  try {
    await steps();
  } catch (error) {
    console.error(`cleat: ${error.message}`);
    process.exitCode = 1;
  }
}
