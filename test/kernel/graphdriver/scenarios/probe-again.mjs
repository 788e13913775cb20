/** Probes a folder for every driver, over and over, until it is killed. */
import { writeSync } from "node:fs";

import { builtInFactories } from "cleat/selection";

const [folder] = process.argv.slice(2);
for (;;) {
  for (const driver of builtInFactories) {
    writeSync(1, `${driver.name}\n`);
    await driver.probe(folder);
  }
}
