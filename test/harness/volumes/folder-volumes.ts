import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { untilReady, type Daemon } from "../processes/daemon.ts";
import type { Namespace } from "../namespaces/namespace.ts";
import { pluginSocket, startPlugin, type PluginProcess } from "../plugins/plugin-process.ts";

/** A volume plugin that Cleat serves, and where it keeps its volumes. */
export interface FolderVolumes extends PluginProcess {
  readonly root: string;
}

export async function startFolderVolumes(namespace: Namespace, name: string): Promise<FolderVolumes> {
  const root = rootOf(namespace, name);
  const argv = commandLine({ root, listen: { unix: pluginSocket(name) } });
  return { ...(await startPlugin(namespace, { name, argv })), root };
}

/**
 * The same over TLS on a port of the namespace's, asking engines for a certificate. Puts an empty folder over
 * `/etc/docker`, where the spec file goes, so that the host has no part in it.
 */
export async function startSecureFolderVolumes(namespace: Namespace, name: string): Promise<Daemon> {
  const specDirectory = "/etc/docker/plugins";
  await namespace.run(["busybox", "ip", "link", "set", "lo", "up"]);
  await namespace.run(["mount", "-t", "tmpfs", "plugins", "/etc/docker"]);
  const tls = {
    host: "127.0.0.1",
    port: 0,
    cert: pem("server.pem"),
    key: pem("server-key.pem"),
    clientCa: pem("ca.pem"),
  };
  const spec = { caFile: pemPath("ca.pem"), certFile: pemPath("client.pem"), keyFile: pemPath("client-key.pem") };
  const argv = commandLine({ root: rootOf(namespace, name), listen: { tls, name, specDirectory, spec } });
  const daemon = await namespace.start(`plugin-${name}`, argv);
  const specFile = `/proc/${daemon.pid}/root${specDirectory}/${name}.json`;
  await untilReady(daemon, `spec file of ${name}`, async () => existsSync(specFile));
  return daemon;
}

const pemPath = (file: string) => resolve("test/fixtures/tls", file);
const pem = (file: string) => readFileSync(pemPath(file), "utf8");
const rootOf = ({ folder }: Namespace, name: string) => `${folder}/volumes-of-${name}`;

function commandLine(settings: object): readonly string[] {
  return [process.execPath, resolve("test/harness/volumes/folder-volumes.mjs"), JSON.stringify(settings)];
}
