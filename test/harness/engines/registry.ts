import { writeFile } from "node:fs/promises";
import { untilReady } from "../processes/daemon.ts";
import type { Namespace } from "../namespaces/namespace.ts";

/** Where a registry of a namespace's own is, as images' names spell it. */
export const registryAddress = "127.0.0.1:5000";

/** Starts a registry on the namespace's own loopback, where nobody else's port is met. It ends with the namespace. */
export async function startRegistry(namespace: Namespace): Promise<void> {
  const { folder, run, start } = namespace;
  const config = `${folder}/registry.yml`;
  await writeFile(
    config,
    `version: 0.1
storage: { filesystem: { rootdirectory: ${folder}/registry } }
http: { addr: "${registryAddress}" }
log: { level: warn }
`,
  );
  await run(["busybox", "ip", "link", "set", "lo", "up"]);
  const daemon = await start("registry", ["docker-registry", "serve", config]);
  const asks = ["busybox", "wget", "-q", "-O", "/dev/null", `http://${registryAddress}/v2/`];
  await untilReady(daemon, "the registry to answer", () =>
    run(asks).then(
      () => true,
      () => false,
    ),
  );
}
