/** Folders that are whole or not there: what tests fetch is made beside its place, and moved there when it is done. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

/** Holds all that tests fetch and do not install. */
export const cacheFolder = "/var/cache/cleat";

/** Lets `fill` make a folder at a path that it is given, and moves it to `folder`. What killed runs left is cleared away. */
export function makeFolder(folder, fill) {
  const parent = dirname(folder);
  mkdirSync(parent, { recursive: true });
  removeAbandoned(parent);
  const staged = join(parent, `staged-${process.pid}`);
  try {
    fill(staged);
    renameSync(staged, folder);
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
}

function removeAbandoned(parent) {
  for (const name of readdirSync(parent)) {
    const [, pid] = /^staged-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(parent, name), { recursive: true });
  }
}
