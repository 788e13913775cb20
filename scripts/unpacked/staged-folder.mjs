/** Folders that are whole or not there: what tests fetch is made beside its place, and moved there when it is done. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

/** Holds all that tests fetch and do not install. */
export const cacheFolder = "/var/cache/cleat";

/**
 * Lets `fill` make a folder at a path that it is given, and moves it to `folder`. What killed runs left is cleared
 * away.
 */
export function makeFolder(folder, fill, makeRoom = () => {}) {
  const parent = dirname(folder);
  mkdirSync(parent, { recursive: true });
  removeAbandoned(parent);
  const staged = join(parent, `staged-${process.pid}`);
  try {
    fill(staged);
    makeRoom();
    renameSync(staged, folder);
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
}

/** As `makeFolder`, where a folder is there already: it is moved away when the new one is whole, and then deleted. */
export function replaceFolder(folder, fill) {
  const replaced = join(dirname(folder), `replaced-${process.pid}`);
  makeFolder(folder, fill, () => renameSync(folder, replaced));
  rmSync(replaced, { recursive: true });
}

function removeAbandoned(parent) {
  for (const name of readdirSync(parent)) {
    const [, pid] = /^(?:staged|replaced)-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(parent, name), { recursive: true });
  }
}

/** What a folder takes on disk, in megabytes of a million bytes. */
export function diskMb(folder) {
  const { stdout } = spawnSync("du", ["--summarize", "--block-size=1000000", folder], { encoding: "utf8" });
  return Number.parseInt(stdout, 10);
}
