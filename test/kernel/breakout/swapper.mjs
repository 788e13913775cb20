/**
 * Exchanges a folder and a symlink to the victim, again and again, until it is killed:
 * `swapper.mjs FOLDER LINK TARGET COUNT`. What somebody removed meanwhile it makes anew. The file COUNT holds how often
 * it exchanged them.
 */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";

import { openPath, O_DIRECTORY, renameat2 } from "#dist/syscall/index.js";

const [folder, link, target, count] = process.argv.slice(2);
const RENAME_EXCHANGE = 2; // renameat2(2)
const root = openPath("/", O_DIRECTORY);

/** @param {() => void} act */
function tryTo(act) {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

for (let swaps = 0, tries = 0; ; tries++) {
  if (tryTo(() => renameat2(root, folder, root, link, RENAME_EXCHANGE))) swaps++;
  else {
    tryTo(() => mkdirSync(folder));
    tryTo(() => symlinkSync(target, link));
  }
  if (tries % 256 === 0) writeFileSync(count, String(swaps));
}
