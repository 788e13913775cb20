/** `serve.mjs SOCKET`: as `go serve` in `go/`, with Cleat's `serve`. Ends on SIGTERM. */
import { closeOnSignals, serve } from "cleat/plugin";
import { createVolumeDriverPlugin } from "cleat/volume";

const never = async () => {
  throw new Error("this plugin only knows where volumes are");
};
const driver = {
  name: "paths",
  capabilities: never,
  create: never,
  list: never,
  get: never,
  remove: never,
  path: async (name) => `/mnt/${name}`,
  mount: never,
  unmount: never,
  close: async () => {},
};

const plugin = await serve({ drivers: [createVolumeDriverPlugin({ driver })], listen: { unix: process.argv[2] } });
console.log("ready");
await closeOnSignals(plugin);
