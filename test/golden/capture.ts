/** Drives each engine through what people do with it, with `cleat trace` in between, and keeps what was said. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { formatExchange, formatFixtureHeader, readFixtureFile } from "../../src/host/index.ts";
import { idling, keepRunning, runScript } from "../harness/engines/containers.ts";
import { startCleat } from "../harness/plugins/cleat.ts";
import { startDockerd } from "../harness/engines/dockerd.ts";
import { buildExample } from "../harness/plugins/example.ts";
import { startFolderVolumes } from "../harness/volumes/folder-volumes.ts";
import { shellLayer, writeImageArchive } from "../harness/images/image-archive.ts";
import { openEngine } from "../harness/engines/engine.ts";
import { openNamespace, type Namespace } from "../harness/namespaces/namespace.ts";
import { openPluginNetworks } from "../harness/engines/plugin-networks.ts";
import { pluginSocket, startPlugin } from "../harness/plugins/plugin-process.ts";
import { openPodman } from "../harness/engines/podman.ts";
import { post } from "../harness/plugins/post.ts";
import { type EngineRelease, forky, hasGraphDriverPlugins, machine, trixie } from "../harness/namespaces/release.ts";
import { startSecretFolder, startService, startSwarm } from "../harness/engines/swarm.ts";
import { builtinOverlay2, ofRelease } from "../harness/engines/storage.ts";
import { startTrace, type Trace } from "../harness/plugins/trace.ts";
import { until } from "../harness/processes/until.ts";
import { trimFixture } from "./trim-fixture.ts";

const [suite, subject] = process.argv.slice(2);
const captures = {
  volumes: [captureDockerVolumes, capturePodmanVolumes],
  networks: [captureDockerNetworks],
  secrets: [captureDockerSecrets],
  authz: [captureDockerAuthz],
  logs: [captureDockerLogs],
  layers: [captureDockerLayers],
};
for (const release of [machine, trixie, forky].filter((one) => suite === undefined || one.suite === suite)) {
  for (const [name, steps] of Object.entries(captures)) {
    if (subject !== undefined && subject !== name) continue;
    if (name === "layers" && !hasGraphDriverPlugins(release)) continue;
    for (const capture of steps) await capture(release);
  }
}

async function captureDockerVolumes(release: EngineRelease): Promise<void> {
  await using namespace = await openNamespace(release);
  const archive = await writeSmallImage(namespace);
  await startFolderVolumes(namespace, "folders");
  const trace = await startTrace(namespace, { plugin: "folders", name: "traced" });
  const dockerd = await startDockerd(namespace, {
    name: "dockerd",
    storageDriver: "overlay2",
    dataRoot: `${namespace.folder}/docker`,
  });
  const { docker } = dockerd;
  await docker("load", "--input", archive);
  await docker("volume", "create", "--driver=traced", "--opt=mode=750", "data");
  await refused(docker("volume", "create", "--driver=traced", "--opt=color=red", "red"));
  await docker("volume", "ls");
  await docker("volume", "inspect", "data");
  await docker("create", "--network=none", "--name=idle", "--volume=data:/v", "small", "true");
  await docker("inspect", "idle");
  await docker("rm", "idle");
  await docker("run", ...idling, "--name=first", "--volume=data:/v", "small", "sleep", "3600");
  await docker("run", "--rm", "--network=none", "--volume=data:/v", "small", "ls", "/v");
  await docker("rm", "--force", "first");
  await docker("run", "--rm", "--network=none", "--volume-driver=traced", "--volume=made:/v", "small", "true");
  await docker("volume", "rm", "data", "made");
  await keep(trace, `docker-${release.docker}-volumes`);
}

/** By the engine's socket, so without a user or certificates. */
async function captureDockerAuthz(release: EngineRelease): Promise<void> {
  await using namespace = await openNamespace(release);
  const program = `${await buildExample("authz-policy", `${namespace.folder}/example-authz-policy`)}/serve.js`;
  await startPlugin(namespace, { name: "policy", argv: [process.execPath, program, "policy", "/srv"] });
  const trace = await startTrace(namespace, { plugin: "policy", name: "traced" });
  const { docker } = await startDockerd(namespace, {
    name: "dockerd",
    storageDriver: "overlay2",
    dataRoot: `${namespace.folder}/docker`,
    arguments: ["--authorization-plugin=traced"],
  });
  await docker("load", "--input", await writeSmallImage(namespace));
  await docker("run", "--rm", "--network=none", "small", "true");
  await refused(docker("run", "--rm", "--network=none", "--privileged", "small", "true"));
  await keep(trace, `docker-${release.docker}-authz`);
}

async function captureDockerLogs(release: EngineRelease): Promise<void> {
  await using namespace = await openNamespace(release);
  const program = `${await buildExample("file-logs", `${namespace.folder}/example-file-logs`)}/serve.js`;
  const argv = [process.execPath, program, "files", `${namespace.folder}/logs`];
  await startPlugin(namespace, { name: "files", argv });
  const trace = await startTrace(namespace, { plugin: "files", name: "traced" });
  const { docker } = await startDockerd(namespace, {
    name: "dockerd",
    storageDriver: "overlay2",
    dataRoot: `${namespace.folder}/docker`,
  });
  await docker("load", "--input", await writeSmallImage(namespace));
  const logged = ["--network=none", "--log-driver=traced"];
  await docker("run", "--name=printer", ...logged, "--log-opt=max-file=2", "small", "seq", "1", "3");
  await docker("logs", "printer");
  await docker("logs", "--since=2020-01-01T00:00:00.123456789Z", "--until=2100-01-01", "--tail=2", "printer");
  await refused(docker("run", ...logged, "--log-opt=color=red", "small", "true"));
  await keep(trace, `docker-${release.docker}-logs`);
}

async function capturePodmanVolumes(release: EngineRelease): Promise<void> {
  await using namespace = await openNamespace(release);
  const archive = await writeSmallImage(namespace);
  const plugin = await startFolderVolumes(namespace, "folders");
  const trace = await startTrace(namespace, { plugin: "folders", name: "traced" });
  const { podman, run } = await openPodman(namespace, { traced: pluginSocket("traced") });
  await podman("load", "--input", archive);
  await podman("volume", "create", "--driver=traced", "--opt=mode=750", "data");
  await podman("volume", "create", "--driver=traced", "plain");
  await refused(podman("volume", "create", "--driver=traced", "--opt=color=red", "red"));
  await podman("volume", "ls");
  await podman("volume", "inspect", "data");
  await run("--detach", "--name=first", "--volume=data:/v", "small", "sleep", "3600");
  await run("--rm", "--volume=data:/v", "small", "ls", "/v");
  await podman("rm", "--force", "--time=0", "first");
  await post(plugin.socketPath(), "/VolumeDriver.Create", { Name: "theirs" });
  await podman("volume", "reload");
  await podman("volume", "rm", "data", "plain", "theirs");
  await keep(trace, `podman-${release.podman}-volumes`);
}

async function captureDockerLayers(release: EngineRelease): Promise<void> {
  await using namespace = await openNamespace(release);
  const archive = await writeSmallImage(namespace);
  await startCleat(namespace, { name: "layers", driver: "overlay2" });
  const trace = await startTrace(namespace, { plugin: "layers", name: "traced" });
  const dockerd = await startDockerd(namespace, {
    name: "dockerd",
    storageDriver: "traced",
    dataRoot: `${namespace.folder}/docker`,
  });
  const { docker } = dockerd;
  const engine = { docker, namespace };
  await docker("load", "--input", archive);
  await keepRunning(engine, "running", "small", "echo written > /written");
  await docker("inspect", "running");
  await docker("ps", "--size");
  await docker("rm", "--force", "running");
  await runScript(engine, "stopped", "small", "echo written > /written");
  await docker("diff", "stopped");
  await docker("commit", "stopped", "committed");
  await docker("save", "--output", `${namespace.folder}/saved.tar`, "committed");
  await docker("rm", "stopped");
  await docker("rmi", "committed", "small");
  await dockerd.end("SIGTERM");
  await keep(trace, `docker-${release.docker}-layers`);
}

async function captureDockerNetworks(release: EngineRelease): Promise<void> {
  await using engine = await openPluginNetworks(release);
  const { docker, namespace } = engine;
  const links = await startTrace(namespace, { plugin: "bridges", name: "links" });
  const pools = await startTrace(namespace, { plugin: "ledger", name: "pools" });
  const create = (name: string, ...options: string[]) =>
    docker("network", "create", "--driver=links", "--ipam-driver=pools", ...options, name);
  const run = (name: string, ...options: string[]) =>
    docker(
      "run",
      "--detach",
      "--stop-signal=SIGKILL",
      `--name=${name}`,
      "--network=blue",
      ...options,
      "small",
      "sleep",
      "3600",
    );
  const ranges = ["--subnet=10.7.0.0/24", "--ip-range=10.7.0.128/25", "--aux-address=printer=10.7.0.200"];
  await create("blue", ...ranges, "--ipam-opt=zone=a", "--label=color=blue");
  await refused(create("red", "--opt=color=red"));
  await create("inner", "--internal");
  await run("one");
  await run("two", "--ip=10.7.0.99", "--mac-address=02:42:0a:07:00:63", "--expose=80");
  await refused(run("three", "--publish=8080:80"));
  await refused(run("four", "--ip=10.7.0.99"));
  await docker("inspect", "one");
  await docker("network", "connect", "inner", "one");
  await docker("network", "disconnect", "inner", "one");
  await docker("rm", "--force", "one", "two", "three", "four");
  await startSwarm(engine);
  await docker("swarm", "leave", "--force");
  await docker("network", "rm", "blue", "inner");
  await keep(links, `docker-${release.docker}-networks`);
  await keep(pools, `docker-${release.docker}-addresses`);
}

async function captureDockerSecrets(release: EngineRelease): Promise<void> {
  await using engine = await openEngine(ofRelease(release, builtinOverlay2));
  const { docker, namespace } = engine;
  await startSecretFolder(namespace, "folder", { password: "correct horse" });
  const trace = await startTrace(namespace, { plugin: "folder", name: "vault" });
  await docker("load", "--input", await writeSmallImage(namespace));
  await startSwarm(engine);
  await docker("secret", "create", "--driver=vault", "--label=tier=back", "password");
  await docker("secret", "create", "--driver=vault", "missing");
  const endpoint = [
    "--hostname=h",
    "--publish=mode=host,target=80,published=8080,protocol=udp",
    "--endpoint-mode=dnsrr",
  ];
  await startService(engine, "web", ["--label=secrets=password", "--secret=password", ...endpoint]);
  await docker(
    "service",
    "create",
    "--detach",
    "--name=none",
    "--label=secrets=missing",
    "--secret=missing",
    "small",
    "true",
  );
  const asked = async () => (await readFixtureFile(trace.savePath)).exchanges.map(({ request }) => request.url);
  await until("both secrets to be asked for", async () =>
    (await asked()).filter((url) => url === "/SecretProvider.GetSecret").length > 1 ? true : undefined,
  );
  await docker("service", "rm", "web", "none");
  await keep(trace, `docker-${release.docker}-secrets`);
}

async function writeSmallImage({ folder }: Namespace): Promise<string> {
  const archive = `${folder}/small.tar`;
  await writeImageArchive(archive, "small", [shellLayer]);
  return archive;
}

async function refused(command: Promise<string>): Promise<void> {
  const answer = await command.catch(() => undefined);
  if (answer !== undefined) throw new Error(`what was to be refused was answered: ${answer}`);
}

async function keep(trace: Trace, name: string): Promise<void> {
  await trace.end("SIGTERM");
  const { header, exchanges } = trimFixture(await readFixtureFile(trace.savePath));
  const path = resolve("test/golden", `${name}.jsonl`);
  await writeFile(path, [formatFixtureHeader(header), ...exchanges.map(formatExchange)].join(""));
  console.log(`${path}: ${exchanges.length} exchanges`);
}
