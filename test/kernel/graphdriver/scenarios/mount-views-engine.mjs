/**
 * An engine of several plugins, `[{"home", "unix"}…] [again]`. Prints of each whether it sees a file of a layer that it
 * is given there; and of the last one once more, each time it is told to.
 */
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

import { createGraphDriverFromPlugin } from "cleat/graphdriver";
import { createHttpTransport } from "cleat/transport";

import { toLayer } from "./layers.mjs";

let number = 0;

async function look(driver) {
  const id = `container-${number++}`;
  await driver.createReadWrite(id, { parent: "base" });
  const path = await driver.get(id, {});
  const sees = existsSync(`${path}/d0/f0`);
  await driver.put(id);
  return sees ? "sees the layer" : "does not see the layer";
}

const told = ({ code, remoteMessage }) => `${code} ${remoteMessage}`;

async function lookAt({ home, unix }, again) {
  const transport = createHttpTransport({ unix });
  try {
    const driver = await createGraphDriverFromPlugin(transport, { name: "plugin", home });
    await driver.create("base", {});
    await driver.applyDiff("base", undefined, toLayer.stream());
    console.log(await look(driver));
    if (again) for await (const _ of createInterface(process.stdin)) console.log(await look(driver).catch(told));
    await driver.cleanup();
  } catch (error) {
    console.log(told(error));
  } finally {
    await transport.close();
  }
}

const [places, again] = process.argv.slice(2);
for (const place of JSON.parse(places)) await lookAt(place, again === "again");
