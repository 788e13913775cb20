/**
 * `node dist/serve.js NAME|SOCKET FOLDER`: a log plugin for `docker run --log-driver NAME`, which
 * keeps its logs in FOLDER.
 */
import { join } from "node:path";
import { createLogDriverPlugin } from "cleat/logdriver";
import { serve } from "cleat/plugin";
import { createFileLogs } from "./file-logs.js";

const [name = "file-logs", root = "/var/lib/file-logs"] = process.argv.slice(2);
const plugin = createLogDriverPlugin({ driver: createFileLogs(root), stateFolder: join(root, "open-pipes") });
await serve({ listen: name.includes("/") ? { unix: name } : name, drivers: [plugin] });
