/** Does one kind of work on layers, over and over, and says what it begins and what it has done, until it is killed. */
import { writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

import { factories, toLayer } from "./layers.mjs";

const [work, name, home, prefix, ...options] = process.argv.slice(2);
const say = (id, step) => writeSync(1, `${id} ${step}\n`);

const driver = await factories[name].open({ home, options });
if (work === "sweep") {
  say("home", "open");
  await setTimeout(60_000); // what a crash left is being deleted
}
for (let round = 0; ; round++) {
  const id = `${prefix}-${round}`;
  say(id, "creating");
  await driver.createReadWrite(id, {});
  say(id, "created");
  if (work === "create") continue;
  if (work === "apply" || round % 4 === 0) {
    say(id, "applying");
    await driver.applyDiff(id, undefined, toLayer.stream());
    say(id, "applied");
  }
  if (work !== "remove") continue;
  say(id, "removing");
  await driver.remove(id);
  say(id, "removed");
}
