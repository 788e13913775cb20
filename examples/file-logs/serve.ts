/** `node dist/serve.js NAME FOLDER`: a log plugin for `docker run --log-driver NAME`, which keeps its logs in FOLDER. */
import { join } from "node:path";
import { createLogDriverPlugin } from "cleat/logdriver";
import { createStateFile, serve } from "cleat/plugin";
import { createFileLogs } from "./file-logs.js";

const [name = "file-logs", root = "/var/lib/file-logs"] = process.argv.slice(2);
const state = createStateFile(join(root, "open-pipes.json"));
await serve({ listen: name, drivers: [createLogDriverPlugin({ driver: createFileLogs(root), state })] });
