/**
 * Serves a driver at several places, `DRIVER [{"home", "unix", "checked", "state"}…]`. Unchecked, it lets in whoever
 * calls.
 */
import { createGraphDriverPlugin } from "cleat/graphdriver";
import { createStateFile, serve } from "cleat/plugin";

import { factories } from "./layers.mjs";

const nobodyKnown = {
  processOf: () => undefined,
  isRunning: () => false,
  listenerOn: async () => undefined,
  assertHomeSeen() {},
};
const [driver, places] = process.argv.slice(2);

async function serveAt({ home, unix, checked, state }) {
  const plugin = createGraphDriverPlugin({
    open: factories[driver].open,
    home,
    ...(!checked && { callers: nobodyKnown }),
    ...(state !== undefined && { state: createStateFile(state) }),
  });
  await serve({ drivers: [plugin], listen: { unix } });
}

await Promise.all(JSON.parse(places).map(serveAt));
console.log("serving");
