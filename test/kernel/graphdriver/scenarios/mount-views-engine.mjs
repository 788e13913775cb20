/** An engine: `HOME SOCKET [again]`. Prints whether it sees a file of a layer that it is given, each time it is told "again". */
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

import { createGraphDriverFromPlugin } from "cleat/graphdriver";
import { createHttpTransport } from "cleat/transport";

import { toLayer } from "./layers.mjs";

const [home, unix, again] = process.argv.slice(2);
const transport = createHttpTransport({ unix });
let number = 0;

/** A driver that mounts nothing yet would show what lies below. */
async function look(driver) {
  const id = `container-${number++}`;
  await driver.createReadWrite(id, { parent: "base" });
  const path = await driver.get(id, {});
  const sees = existsSync(`${path}/d0/f0`);
  await driver.put(id);
  return sees ? "sees the layer" : "does not see the layer";
}

const told = ({ code, remoteMessage }) => `${code} ${remoteMessage}`;

try {
  const driver = await createGraphDriverFromPlugin(transport, { name: "plugin", home });
  await driver.create("base", {});
  await driver.applyDiff("base", undefined, toLayer.stream());
  console.log(await look(driver));
  if (again !== undefined) {
    for await (const _ of createInterface(process.stdin)) console.log(await look(driver).catch(told));
  }
  await driver.cleanup();
} catch (error) {
  console.log(told(error));
} finally {
  await transport.close();
}
