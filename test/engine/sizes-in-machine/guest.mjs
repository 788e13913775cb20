/**
 * Docker with its own overlay2 on xfs with project quotas, and Cleat on the same store, one after the other. Prints what each saw as
 * lines of JSON.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

import { overlay2 } from "cleat/graphdriver";
import { close, O_RDONLY, openPath, projectUsage, readProject } from "cleat/syscall";
import { buildArchive, file, folder } from "cleat/testing";

const root = "/var/lib/docker";
const home = `${root}/overlay2`;
const show = (name, value) => console.log(JSON.stringify({ name, value }));
const docker = (...args) =>
  execFileSync("docker", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();

mkdirSync(root, { recursive: true });
execFileSync("mount", ["-t", "xfs", "-o", "prjquota", "/dev/vda", root]);
execFileSync("mount", ["-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"]);

let daemon = await startDocker();
show("status", JSON.parse(docker("info", "--format", "{{json .DriverStatus}}")));
writeFileSync(
  "/tmp/base.tar",
  buildArchive([folder("bin"), file("bin/sh", readFileSync("/bin/busybox"), { mode: 0o755 }), folder("data")]),
);
docker("import", "/tmp/base.tar", "base");
create("first");
show("run by Docker", writeIn("first"));
const data = JSON.parse(docker("inspect", "--format", "{{json .GraphDriver.Data}}", "first"));
show("data", data);
await stop(daemon);

const id = data.UpperDir.split("/").at(-2);
const cleat = await overlay2.open({ home });
show("status of Cleat", await cleat.status());
show("data of Cleat", await cleat.metadata(id));
const path = await cleat.get(id, {});
show(
  "written through Cleat",
  spawnSync("dd", ["if=/dev/zero", `of=${path}/data/cleat`, "bs=1M", "count=80"], { encoding: "utf8" }).stderr,
);
await cleat.put(id);
await cleat.createReadWrite("ours", { storageOptions: { size: "32m" } });
await cleat.close();

daemon = await startDocker();
docker("rm", "first");
create("second");
show("run by Docker again", writeIn("second"));
const second = JSON.parse(docker("inspect", "--format", "{{json .GraphDriver.Data}}", "second"));
show("projects", [projectOf(`${home}/ours/diff`), projectOf(second.UpperDir)]);
await stop(daemon);

async function startDocker() {
  const options = ["--bridge=none", "--iptables=false", "--ip-forward=false", "--storage-driver=overlay2"];
  // The root of the machine is its RAM disk, from which nobody can pivot away.
  const env = { ...process.env, DOCKER_RAMDISK: "true" };
  const child = spawn("dockerd", options, { env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  const ready = new Promise((resolve, reject) => {
    child.stderr.on("data", (chunk) => {
      log += chunk;
      if (log.includes("API listen on")) resolve();
    });
    child.on("exit", () => reject(new Error(log)));
  });
  await ready;
  return child;
}

async function stop(child) {
  child.removeAllListeners("exit");
  child.kill();
  await once(child, "exit");
}

function create(name) {
  docker(
    "create",
    "--name",
    name,
    "--network",
    "none",
    "--storage-opt",
    "size=64m",
    "base",
    "/bin/sh",
    "-c",
    "dd if=/dev/zero of=/data/fits bs=1M count=16 && dd if=/dev/zero of=/data/large bs=1M count=80",
  );
}

/** What the container said, and how it ended. */
function writeIn(name) {
  const { status, stderr } = spawnSync("docker", ["start", "--attach", name], { encoding: "utf8" });
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
