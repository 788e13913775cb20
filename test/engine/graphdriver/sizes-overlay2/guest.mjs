/**
 * Docker with its own overlay2 on xfs with project quotas, and Cleat on the same store in between; then Docker with
 * Cleat as its plugin. Prints what each saw as lines of JSON.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

import { overlay2 } from "cleat/drivers";
import { close, O_RDONLY, openPath, projectUsage, readProject } from "#dist/syscall/index.js";
import { buildArchive, file, folder } from "cleat/testing";

const root = "/var/lib/docker";
const home = `${root}/overlay2`;
const show = (name, value) => console.log(JSON.stringify({ name, value }));

const tooMuch = (path) =>
  `dd if=/dev/zero of=${path}/fits bs=1M count=16 && dd if=/dev/zero of=${path}/large bs=1M count=80`;

mkdirSync(root, { recursive: true });
execFileSync("mount", ["-t", "xfs", "-o", "prjquota", "/dev/vda", root]);
execFileSync("mount", ["-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"]);

// dockerd gives a containerd of its own 15 seconds to start.
const containerd = await startDaemon("containerd", [], "successfully booted");
const data = await withDocker("overlay2", () => {
  show("status of Docker", JSON.parse(docker("info", "--format", "{{json .DriverStatus}}")));
  importBase();
  create("first");
  show("written by Docker", runToEnd("docker", ["start", "--attach", "first"]));
  return dataOf("first");
});
show("data of Docker", data);

await serveByCleat(data.UpperDir.split("/").at(-2));

await withDocker("overlay2", () => {
  docker("rm", "first");
  create("second");
  show("written by Docker again", runToEnd("docker", ["start", "--attach", "second"]));
  show("projects", [`${home}/ours/diff`, dataOf("second").UpperDir].map(projectOf));
});

await withPlugin(() => {
  importBase();
  create("limited");
  show("written on the plugin", runToEnd("docker", ["start", "--attach", "limited"]));
  create("neighbour");
  show("written beside it", runToEnd("docker", ["start", "--attach", "neighbour"]));
});
await withPlugin(() => {
  show("written on the plugin again", runToEnd("docker", ["start", "--attach", "limited"]));
  docker("rm", "limited", "neighbour");
  show(
    "layers left",
    readdirSync(`${root}/cleat`).filter((name) => /^[0-9a-f]{64}(-init)?$/.test(name)),
  );
});
await containerd.end();

async function serveByCleat(id) {
  const cleat = await overlay2.open({ home });
  show("status of Cleat", await cleat.status());
  show("data of Cleat", await cleat.metadata(id));
  const path = await cleat.get(id, {});
  execFileSync("rm", [`${path}/data/fits`, `${path}/data/large`]);
  show("written through Cleat", runToEnd("sh", ["-c", tooMuch(`${path}/data`)]));
  await cleat.put(id);
  await cleat.createReadWrite("ours", { storageOptions: { size: "32m" } });
  await cleat.close();
}

/** Runs Cleat, and a daemon that keeps its layers there, while `use` runs. */
async function withPlugin(use) {
  const socket = "/run/docker/plugins/cleat.sock";
  const options = ["--driver=overlay2", "--name=cleat", "--root=/tmp/cleat", `--socket=${socket}`];
  const plugin = await startDaemon("node", ["/cleat/dist/cli/main.js", "serve", "graph", ...options], "Cleat serves");
  await withDocker("cleat", use);
  await plugin.end();
}

/** Runs a daemon while `use` runs. */
async function withDocker(storageDriver, use) {
  const socket = "--containerd=/run/containerd/containerd.sock";
  const storage = [`--storage-driver=${storageDriver}`, ...(storageDriver === "cleat" ? ["--experimental"] : [])];
  const options = [socket, "--bridge=none", "--iptables=false", "--ip-forward=false", ...storage];
  // The root of the machine is its RAM disk, from which nobody can pivot away.
  const daemon = await startDaemon("dockerd", options, "API listen on", { DOCKER_RAMDISK: "true" });
  const result = use();
  await daemon.end();
  return result;
}

/** Resolves once the daemon has said `ready`, however long that takes here. */
async function startDaemon(command, options, ready, env = {}) {
  const daemon = spawn(command, options, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(daemon, "exit");
  await new Promise((resolve, reject) => {
    let log = "";
    for (const output of [daemon.stdout, daemon.stderr]) {
      output.on("data", (chunk) => {
        log += chunk;
        if (log.includes(ready)) resolve();
      });
    }
    ended.then(() => reject(new Error(log)), reject);
  });
  const end = () => {
    daemon.kill();
    return ended;
  };
  return { end };
}

function docker(...args) {
  return execFileSync("docker", args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}

function importBase() {
  const shell = file("bin/sh", readFileSync("/bin/busybox"), { mode: 0o755 });
  writeFileSync("/tmp/base.tar", buildArchive([folder("bin"), shell, folder("data")]));
  docker("import", "/tmp/base.tar", "base");
}

function create(name) {
  const options = ["--name", name, "--network", "none", "--storage-opt", "size=64m"];
  docker("create", ...options, "base", "/bin/sh", "-c", tooMuch("/data"));
}

function dataOf(name) {
  return JSON.parse(docker("inspect", "--format", "{{json .GraphDriver.Data}}", name));
}

function runToEnd(command, args) {
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return { status, stderr };
}

function projectOf(path) {
  const descriptor = openPath(path, O_RDONLY);
  try {
    const { id } = readProject(descriptor);
    return { id, limitBytes: projectUsage(descriptor, id).limitBytes };
  } finally {
    close(descriptor);
  }
}
