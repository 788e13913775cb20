/** A log plugin whose driver never writes: `node hung-logs.mjs NAME`. */
import { createLogDriverPlugin } from "cleat/logdriver";
import { serve } from "cleat/plugin";

const log = { write: () => new Promise(() => {}), close: async () => {} };
const driver = { name: "hung", openLog: async () => log, close: async () => {} };
const plugin = createLogDriverPlugin({ driver, maxBufferBytes: 64 * 1024, stopTimeoutMs: 100 });
await serve({ drivers: [plugin], listen: process.argv[2] });
