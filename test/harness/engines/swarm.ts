/** A swarm of one host, on the loopback of a namespace, and a secret provider for it: one of the examples. */
import { mkdir, writeFile } from "node:fs/promises";
import { startExample } from "../plugins/example.ts";
import type { Namespace } from "../namespaces/namespace.ts";
import type { PluginProcess } from "../plugins/plugin-process.ts";
import { until } from "../processes/until.ts";
import type { Engine } from "./engine.ts";

export async function startSwarm({ docker, namespace }: Pick<Engine, "docker" | "namespace">): Promise<void> {
  await namespace.run(["busybox", "ip", "link", "set", "lo", "up"]);
  await docker("swarm", "init", "--advertise-addr=127.0.0.1", "--listen-addr=127.0.0.1:2377");
}

/** Serves these secrets. */
export async function startSecretFolder(
  namespace: Namespace,
  name: string,
  secrets: Readonly<Record<string, string>>,
): Promise<PluginProcess> {
  const folder = `${namespace.folder}/secrets-of-${name}`;
  await mkdir(folder, { mode: 0o700 });
  for (const [secret, value] of Object.entries(secrets)) await writeFile(`${folder}/${secret}`, value, { mode: 0o600 });
  return startExample(namespace, { name, example: "secret-provider", program: "secrets.js", arguments: [folder] });
}

/** Returns the id of the container of a service's only task, once it runs. */
export async function startService(
  { docker }: Pick<Engine, "docker">,
  name: string,
  options: readonly string[],
): Promise<string> {
  await docker("service", "create", "--detach", `--name=${name}`, ...options, "small", "sleep", "3600");
  const running = async () => (await docker("ps", "--quiet", `--filter=name=${name}.1.`)) || undefined;
  return until(`a task of service ${name} to run`, running);
}
