/**
 * What a container is asked for, field by field: what a policy does not know is found here, so that it can be denied.
 * Of Docker's fields these give nothing of the host, whatever is in them; those that the policy looks into are its own.
 *
 * Source: moby v28.5.2 `api/types/container/{config,hostconfig}.go`.
 */
const ofContainer =
  "ArgsEscaped AttachStderr AttachStdin AttachStdout Cmd Domainname Entrypoint Env ExposedPorts Healthcheck Hostname " +
  "Image Labels MacAddress NetworkDisabled NetworkingConfig OnBuild OpenStdin Shell StdinOnce StopSignal StopTimeout " +
  "Tty User Volumes WorkingDir";
const ofHost =
  "Annotations AutoRemove BlkioWeight CapDrop ConsoleSize ContainerIDFile CpuCount CpuPercent CpuPeriod CpuQuota " +
  "CpuRealtimePeriod CpuRealtimeRuntime CpusetCpus CpusetMems CpuShares Dns DnsOptions DnsSearch ExtraHosts GroupAdd " +
  "Init KernelMemory KernelMemoryTCP Links LogConfig Memory MemoryReservation MemorySwap MemorySwappiness NanoCpus " +
  "OomKillDisable OomScoreAdj PidsLimit PortBindings PublishAllPorts ReadonlyRootfs RestartPolicy ShmSize StorageOpt " +
  "Tmpfs Ulimits VolumeDriver";

const setOf = (...names: readonly string[]): ReadonlySet<string> => new Set(names.map((name) => name.toLowerCase()));

/** The first field that says something and is neither harmless nor among `known`, as the client has spelled it. */
export function unknownField(
  fields: Readonly<Record<string, unknown>>,
  place: "container" | "host",
  known: readonly string[],
): string | undefined {
  const names = setOf(...ofHost.split(" "), ...(place === "container" ? ofContainer.split(" ") : []), ...known);
  return Object.keys(fields).find((name) => !names.has(name.toLowerCase()) && !saysNothing(name, fields[name]));
}

/** Clients send all fields. An empty list of paths that are to be masked says that none is. */
function saysNothing(name: string, value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0 && !/paths$/i.test(name);
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return value === null || value === false || value === 0 || value === "";
}
