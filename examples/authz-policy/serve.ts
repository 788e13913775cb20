/** `node dist/serve.js NAME|SOCKET FOLDER…`: an authorization plugin for `dockerd --authorization-plugin NAME`. */
import { createAuthzPlugin } from "cleat/authz";
import { serve } from "cleat/plugin";
import { createHostPolicy } from "./policy.js";

const [name = "host-policy", ...folders] = process.argv.slice(2);
await serve({
  listen: name.includes("/") ? { unix: name } : name,
  drivers: [createAuthzPlugin(createHostPolicy(folders))],
});
