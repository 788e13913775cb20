/**
 * Users of this engine run what they like, but for privileged containers, devices, added capabilities, the host's
 * namespaces, and folders of the host beside those that are listed. What the policy does not know it denies: routes,
 * and fields of containers (device cgroup rules, security options, paths that are not to be masked, …).
 */
import { posix } from "node:path";
import { allow, type ApiRequest, deny, type Policy } from "cleat/authz";
import { goStruct } from "cleat/protocol";
import { z } from "zod";
import { unknownField } from "./container-fields.js";

const texts = z.array(z.string()).default([]);
const options = z.record(z.string(), z.string()).default({});
const mount = goStruct({
  Type: z.string().default(""),
  Source: z.string().default(""),
  VolumeOptions: goStruct({
    DriverConfig: goStruct({ Name: z.string().default(""), Options: options }).optional(),
  }).optional(),
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
const fields = z.record(z.string(), z.unknown());
const allHostFields = goStruct({ HostConfig: fields.default({}) });
const execBody = goStruct({ Privileged: z.boolean().default(false) });
const volumeBody = goStruct({ Driver: z.string().default(""), DriverOpts: options });

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
  /** What the local driver takes is known; another's options may name anything. */
  const problemOfVolume = (driver: string, given: Readonly<Record<string, string>>): string | undefined => {
    if (!["", "local"].includes(driver))
      return Object.keys(given).length === 0
        ? undefined
        : `options of volume driver ${JSON.stringify(driver)} are not known`;
    const { device } = given;
    return device === undefined || isListed(device) ? undefined : refuseFolder(device);
  };
  const refuseFolder = (path: string) => `${JSON.stringify(path)} of the host is not to be seen by containers`;

  const problemOf = (host: HostConfig): string | undefined => {
    if (host.Privileged) return "privileged containers are not allowed";
    if (host.Devices.length > 0) return "devices are not allowed";
    if (host.CapAdd.length > 0) return "added capabilities are not allowed";
    if ([host.PidMode, host.IpcMode, host.NetworkMode].includes("host")) return "the host's namespaces are not allowed";
    const bound = host.Binds.map((bind) => bind.split(":")[0] ?? "").filter((source) => source.startsWith("/"));
    const mounted = host.Mounts.filter(({ Type }) => Type !== "volume" && Type !== "tmpfs").map(({ Source }) => Source);
    const foreign = [...bound, ...mounted].find((path) => !isListed(path));
    if (foreign !== undefined) return refuseFolder(foreign);
    const volumes = host.Mounts.map(({ VolumeOptions }) => VolumeOptions?.DriverConfig);
    return volumes.map((volume) => volume && problemOfVolume(volume.Name, volume.Options)).find(Boolean);
  };

  const problemIn = (request: ApiRequest): string | undefined => {
    if (request.is("POST", "/containers/create")) {
      const { HostConfig: host, ...beside } = request.json(createBody);
      const known = Object.keys(hostFields);
      const unknown =
        unknownField(request.json(fields), "container", [...known, "HostConfig"]) ??
        unknownField(request.json(allHostFields).HostConfig, "host", known);
      if (unknown !== undefined) return `${JSON.stringify(unknown)} is not known here`;
      return problemOf(beside) ?? (host && problemOf(host));
    }
    if (request.is("POST", "/containers/{id}/exec")) {
      return request.json(execBody).Privileged ? "privileged commands are not allowed" : undefined;
    }
    if (request.is("POST", "/volumes/create")) {
      const { Driver = "", DriverOpts = {} } = request.jsonIfAny(volumeBody) ?? {};
      return problemOfVolume(Driver, DriverOpts);
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
