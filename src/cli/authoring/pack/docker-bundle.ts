/**
 * Docker's managed plugin: `config.json` and a root file system, for `docker plugin create NAME FOLDER`.
 *
 * Source: moby v20.10.24 `docs/extend/config.md`, `plugin/manager_linux.go`.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { CleatError } from "../../../errors/index.ts";
import { inOrder, type PackedFile } from "./packed-file.ts";
import type { Project } from "./read-project.ts";

/** Docker's words for what a plugin may implement. */
const interfaceTypes: Readonly<Record<string, string>> = {
  VolumeDriver: "docker.volumedriver/1.0",
  NetworkDriver: "docker.networkdriver/1.0",
  IpamDriver: "docker.ipamdriver/1.0",
  GraphDriver: "docker.graphdriver/1.0",
  LogDriver: "docker.logdriver/1.0",
  MetricsCollector: "docker.metricscollector/1.0",
  authz: "docker.authz/1.0",
  secretprovider: "docker.secretprovider/1.0",
};

/** What a volume driver tells of paths below it Docker finds: it is propagated to the host. */
const dataFolder = "/data";
const home = "/plugin";

/** The files of the bundle. @throws UNIMPLEMENTED for what Docker has no managed plugins of. */
export function dockerBundle(project: Project): readonly PackedFile[] {
  const types = project.implements.map((one) => {
    const type = interfaceTypes[one];
    if (type === undefined)
      throw new CleatError("UNIMPLEMENTED", `Docker has no managed plugins that implement ${one}`);
    return type;
  });
  const socket = `${project.name}.sock`;
  const program = realpathSync(process.execPath);
  const config = {
    description: project.description,
    documentation: "",
    entrypoint: ["/usr/bin/node", `${home}/${project.main}`, dataFolder, `/run/docker/plugins/${socket}`],
    workdir: home,
    interface: { types, socket },
    network: { type: project.implements.includes("NetworkDriver") ? "host" : "none" },
    propagatedMount: dataFolder,
    // Mounting and links take it; a plugin that makes neither may do without.
    linux: { capabilities: capabilitiesOf(project), allowAllDevices: false, devices: null },
    mounts: null,
    env: null,
    args: { name: "", description: "", settable: null, value: null },
  };
  return inOrder([
    { path: "config.json", content: Buffer.from(`${JSON.stringify(config, undefined, 2)}\n`), isExecutable: false },
    { path: "rootfs/usr/bin/node", content: readFileSync(program), isExecutable: true },
    ...librariesOf(program).map((path): PackedFile => {
      return { path: `rootfs${path}`, content: readFileSync(path), isExecutable: true };
    }),
    ...project.files.map((file) => ({ ...file, path: `rootfs${home}/${file.path}` })),
    // Docker mounts on these.
    ...[`rootfs${dataFolder}/.keep`, "rootfs/run/docker/plugins/.keep"].map((path): PackedFile => {
      return { path, content: Buffer.alloc(0), isExecutable: false };
    }),
  ]);
}

function capabilitiesOf({ implements: implemented }: Project): readonly string[] {
  return [
    ...(implemented.some((one) => ["VolumeDriver", "GraphDriver", "NetworkDriver"].includes(one))
      ? ["CAP_SYS_ADMIN"]
      : []),
    ...(implemented.includes("NetworkDriver") ? ["CAP_NET_ADMIN"] : []),
  ];
}

/**
 * The shared libraries that a program loads, its loader among them: of glibc and of musl alike, whose loader prints the
 * same when it is asked. Source: ldd(1).
 */
function librariesOf(program: string): readonly string[] {
  const printed = execFileSync("ldd", [program], { encoding: "utf8", env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } });
  const missing = /^\s*(\S+) => not found/m.exec(printed)?.[1];
  if (missing !== undefined) throw new CleatError("FAILED_PRECONDITION", `${program} lacks its library ${missing}`);
  const paths = [...printed.matchAll(/(?:=>\s*|^\s*)(\/\S+) \(0x[0-9a-f]+\)/gm)].map(([, path]) => path as string);
  if (paths.length > 0) return [...new Set(paths)].toSorted();
  throw new CleatError("FAILED_PRECONDITION", `ldd tells no libraries of ${program}`);
}
