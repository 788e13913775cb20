/**
 * Users of this engine run what they like, but for privileged containers, devices, added capabilities, the host's
 * namespaces, and folders of the host beside those that are listed. What the policy does not know it denies.
 */
import { posix } from "node:path";
import { allow, type ApiRequest, deny, type Policy } from "cleat/authz";
import { goStruct } from "cleat/protocol";
import { z } from "zod";

const texts = z.array(z.string()).default([]);
const options = z.record(z.string(), z.string()).default({});
const mount = goStruct({
  Type: z.string().default(""),
  Source: z.string().default(""),
  VolumeOptions: goStruct({ DriverConfig: goStruct({ Options: options }).optional() }).optional(),
});
const hostFields = {
  Privileged: z.boolean().default(false),
  Binds: texts,
  Mounts: z.array(mount).default([]),
  Devices: z.array(z.unknown()).default([]),
  CapAdd: texts,
  PidMode: z.string().default(""),
  IpcMode: z.string().default(""),
  NetworkMode: z.string().default(""),
};
type HostConfig = z.output<z.ZodObject<typeof hostFields>>;

/**
 * Docker to 26 takes the fields of `HostConfig` beside it, too (`runconfig/config_unix.go`, `ContainerConfigWrapper`).
 */
const createBody = goStruct({ ...hostFields, HostConfig: goStruct(hostFields).optional() });
const execBody = goStruct({ Privileged: z.boolean().default(false) });
const volumeBody = goStruct({ DriverOpts: options });

/** What changes containers, images, volumes and networks, and gives nothing of the host. */
const verbs = ["start", "stop", "restart", "kill", "wait", "attach", "resize", "pause", "unpause", "rename"];
const harmless = [
  ...verbs.map((verb) => `/containers/{id}/${verb}`),
  "/exec/{id}/start",
  "/exec/{id}/resize",
  "/containers/prune",
  "/images/create",
  "/images/load",
  "/images/{name}/tag",
  "/images/prune",
  "/networks/create",
  "/networks/{id}/connect",
  "/networks/{id}/disconnect",
  "/volumes/prune",
  "/commit",
  "/auth",
];
const removable = ["/containers/{id}", "/images/{name}", "/volumes/{name}", "/networks/{id}"];

/** `folders` are those of the host that containers may see, with what is below. */
export function createHostPolicy(folders: readonly string[]): Policy {
  const isListed = (path: string) =>
    folders.some((folder) => posix.normalize(`${path}/`).startsWith(posix.normalize(`${folder}/`)));
  const refuseFolder = (path: string) => `${JSON.stringify(path)} of the host is not to be seen by containers`;

  const problemOf = (host: HostConfig): string | undefined => {
    if (host.Privileged) return "privileged containers are not allowed";
    if (host.Devices.length > 0) return "devices are not allowed";
    if (host.CapAdd.length > 0) return "added capabilities are not allowed";
    if ([host.PidMode, host.IpcMode, host.NetworkMode].includes("host")) return "the host's namespaces are not allowed";
    const bound = host.Binds.map((bind) => bind.split(":")[0] ?? "").filter((source) => source.startsWith("/"));
    const mounted = host.Mounts.flatMap(({ Type, Source, VolumeOptions }) => {
      const { device } = VolumeOptions?.DriverConfig?.Options ?? {};
      const isOfHost = Type !== "volume" && Type !== "tmpfs";
      return [...(isOfHost ? [Source] : []), ...(device === undefined ? [] : [device])];
    });
    const foreign = [...bound, ...mounted].find((path) => !isListed(path));
    return foreign === undefined ? undefined : refuseFolder(foreign);
  };

  const problemIn = (request: ApiRequest): string | undefined => {
    if (request.is("POST", "/containers/create")) {
      const { HostConfig: host, ...beside } = request.json(createBody);
      return problemOf(beside) ?? (host && problemOf(host));
    }
    if (request.is("POST", "/containers/{id}/exec")) {
      return request.json(execBody).Privileged ? "privileged commands are not allowed" : undefined;
    }
    if (request.is("POST", "/volumes/create")) {
      const { device } = request.jsonIfAny(volumeBody)?.DriverOpts ?? {};
      return device === undefined || isListed(device) ? undefined : refuseFolder(device);
    }
    // Before version 1.24 of the API a container was given its folders when it was started.
    if (request.is("POST", "/containers/{id}/start") && request.bodyState !== "none") return "start takes no body here";
    const routes = { GET: [request.route.path], HEAD: [request.route.path], POST: harmless, DELETE: removable };
    const known = routes[request.method as keyof typeof routes] ?? [];
    return known.some((route) => request.match(request.method, route)) ? undefined : "nobody may do that here";
  };

  return (request) => {
    const problem = problemIn(request);
    return problem === undefined ? allow : deny(problem);
  };
}
