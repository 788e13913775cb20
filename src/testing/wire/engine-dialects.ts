/**
 * How engines send the same call: each has headers and ways of its own, which a plugin must not mind. A test compares
 * them with what was recorded of each (`test/golden`).
 */
export interface EngineDialect {
  /** "docker-20.10": what the ids of checks have. */
  readonly id: string;
  /** Those that send so, as they were seen. */
  readonly versions: readonly string[];
  /** The protocols that they speak, by their tables' names; default all. */
  readonly protocols?: readonly string[];
  /** But for `Content-Length`, which all send. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body of a call that has no arguments; `Plugin.Activate` has none in any dialect. */
  readonly noArguments: string;
  /** Protocols of which such a call has no body at all, by their tables' names. */
  readonly bodiless: readonly string[];
  /** What follows a JSON body. */
  readonly ending: string;
  readonly source: string;
}

const userAgent = { "User-Agent": "Go-http-client/1.1" };

const docker20: EngineDialect = {
  id: "docker-20.10",
  versions: ["docker-20.10.24"],
  headers: { Host: "", ...userAgent, Accept: "application/vnd.docker.plugins.v1.2+json" },
  noArguments: "{}",
  bodiless: ["NetworkDriver", "IpamDriver", "LogDriver", "MetricsCollector"],
  ending: "\n",
  source: "moby v20.10.24 pkg/plugins/transport/http.go, pkg/plugins/client.go",
};

export const engineDialects: readonly EngineDialect[] = [
  docker20,
  {
    ...docker20,
    id: "docker-26-28",
    versions: ["docker-26.1.5", "docker-28.5.2"],
    headers: { ...docker20.headers, Host: "plugin.moby.localhost" },
    source: "moby v28.5.2 pkg/plugins/transport/http.go, pkg/plugins/client.go",
  },
  {
    id: "podman-4-5",
    versions: ["podman-4.3.1", "podman-5.4.2", "podman-5.8.6"],
    protocols: ["VolumeDriver"],
    headers: { Host: "plugin", ...userAgent, "Content-Type": "application/vnd.docker.plugins.v1.1+json" },
    noArguments: "",
    bodiless: [],
    ending: "",
    source: "podman v4.3.1 libpod/plugin/volume_api.go",
  },
];

/** What most users have. */
export const commonDialect = engineDialects[1] as EngineDialect;

/** Those in which a plugin of that protocol is called. */
export function dialectsOf({ name }: { readonly name: string }): readonly EngineDialect[] {
  return engineDialects.filter(({ protocols }) => protocols?.includes(name) ?? true);
}

/** The whole body of a call without arguments. */
export function bodyWithoutArguments({ noArguments, bodiless, ending }: EngineDialect, protocol: string): string {
  return noArguments === "" || bodiless.includes(protocol) ? "" : noArguments + ending;
}
