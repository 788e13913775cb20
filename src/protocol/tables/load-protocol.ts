import type { Protocol } from "../definition/define-protocol.ts";

type Load = () => Promise<Protocol>;

const loadAuthz: Load = async () => (await import("./authz.ts")).authzProtocol;
const loadSecrets: Load = async () => (await import("./secret-provider.ts")).secretProviderProtocol;

const loaders: ReadonlyMap<string, Load> = new Map([
  ["Plugin", async () => (await import("./plugin.ts")).pluginProtocol],
  ["GraphDriver", async () => (await import("./graph-driver.ts")).graphDriverProtocol],
  ["VolumeDriver", async () => (await import("./volume-driver.ts")).volumeDriverProtocol],
  ["NetworkDriver", async () => (await import("./network-driver.ts")).networkDriverProtocol],
  ["IpamDriver", async () => (await import("./ipam-driver.ts")).ipamDriverProtocol],
  ["SecretProvider", loadSecrets],
  ["secretprovider", loadSecrets],
  ["MetricsCollector", async () => (await import("./metrics-collector.ts")).metricsCollectorProtocol],
  ["AuthZPlugin", loadAuthz],
  ["authz", loadAuthz],
  ["LogDriver", async () => (await import("./log-driver.ts")).logDriverProtocol],
] satisfies [string, Load][]);

/**
 * The table of one protocol alone, for programs that are to start quickly; by the first half of its paths, or by what
 * plugins announce. `undefined` where there is none of that name.
 */
export async function loadProtocol(name: string): Promise<Protocol | undefined> {
  return loaders.get(name)?.();
}
