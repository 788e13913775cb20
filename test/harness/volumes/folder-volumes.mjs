/**
 * A volume plugin of Cleat's, in a process of its own: `node folder-volumes.mjs '{"root": PATH, "listen": …}'`, where
 * `listen` is what `serve` takes. SIGTERM closes it.
 */
import { closeOnSignals, serve } from "cleat/plugin";
import { createVolumeDriverPlugin } from "cleat/volume";
import { openFolderVolumes } from "./folder-volume-driver.mjs";

const { root, listen } = JSON.parse(process.argv[2]);
const log = (fields, message) => console.log(JSON.stringify({ message, ...fields }));
const logger = { debug() {}, info: log, warn: log, error: log };
const driver = await openFolderVolumes(root);
const plugin = await serve({ drivers: [createVolumeDriverPlugin({ driver, logger })], listen, logger });
await closeOnSignals(plugin);
