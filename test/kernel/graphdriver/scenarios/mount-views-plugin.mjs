/** Serves a driver: `DRIVER HOME SOCKET checked|unchecked [STATE]`. Unchecked, it lets in whoever calls. */
import { createGraphDriverPlugin } from "cleat/graphdriver";
import { closeOnSignals, createStateFile, serve } from "cleat/plugin";

import { factories } from "./layers.mjs";

const [driver, home, unix, check, state] = process.argv.slice(2);
const nobodyKnown = {
  processOf: () => undefined,
  isRunning: () => false,
  listenerOn: async () => undefined,
  assertHomeSeen() {},
};
const plugin = createGraphDriverPlugin({
  open: factories[driver].open,
  home,
  ...(check === "unchecked" && { callers: nobodyKnown }),
  ...(state !== undefined && { state: createStateFile(state) }),
});
const running = await serve({ drivers: [plugin], listen: { unix } });
console.log("serving");
await closeOnSignals(running);
