/** Installs what the kernel and engine tests need: `usage` is the manual. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { bringArm64, hasArm64 } from "./unpacked/arm64-machine.mjs";
import { hasContainerd17, unpackContainerd17 } from "./unpacked/containerd-sources.mjs";
import { hasRoot, makeRoot, rootMaker, rootPlan, suites } from "./unpacked/engine-roots.mjs";
import { fetchNode, nodeProgram, otherReleases } from "./unpacked/node-releases.mjs";
import { main, run } from "./prepare.mjs";
import { hasShareServers, unpackShareServers } from "./unpacked/share-servers.mjs";
import { cacheFolder, diskMb } from "./unpacked/staged-folder.mjs";
import { kernelVersion, unpackKernel } from "./unpacked/virtual-machine.mjs";
import { hasVolumePrograms, unpackVolumePrograms } from "./unpacked/volume-programs.mjs";
import { answerHelp } from "./usage.mjs";

const packages = [
  "attr",
  "btrfs-progs",
  "busybox-static",
  "containerd",
  "docker-registry",
  "docker.io",
  "e2fsprogs",
  "fuse-overlayfs",
  "fuse3", // mount.fuse3, by which containerd mounts fuse-overlayfs
  "golang-github-containerd-containerd-dev",
  "golang-github-containerd-stargz-snapshotter-dev",
  "golang-github-docker-docker-dev",
  "golang-github-vbatts-tar-split-dev",
  "golang-go",
  "iproute2",
  "iptables",
  "libarchive-tools",
  "libcap2-bin",
  rootMaker,
  "podman",
  "runc",
  "strace",
  "xfsprogs",
];

/** For the virtual machine, with a kernel for it. */
const machinePackage = "qemu-system-x86";

/** For that of arm64. */
const arm64Package = "qemu-system-arm";

/** Why the engines cannot be installed here, or undefined when they can. */
export function whyNotInstallable() {
  if (process.getuid() !== 0) return "installing packages needs root: run it with sudo";
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (!/^ID(_LIKE)?=.*debian/m.test(release))
    return "this is not Debian: install Docker 20.10 to 26 and the tools yourself";
  return undefined;
}

/**
 * Installs what is missing of `packages`, of later releases, unless told otherwise of the virtual machine and of
 * what the night alone compiles, and if told so of one of arm64, starting no service. Idempotent; a tenth of a
 * second when nothing is missing.
 */
export function installEngines({ machine = true, arm64 = false } = {}) {
  const emulators = [...(machine ? [machinePackage] : []), ...(arm64 ? [arm64Package] : [])];
  const missing = [...packages, ...emulators].filter((name) => !isInstalled(name));
  const missingRoots = Object.keys(suites).filter((suite) => !hasRoot(suite));
  const missingNodes = otherReleases.filter((release) => nodeProgram(release) === undefined);
  const wantsKernel = machine && kernelVersion() === undefined && process.arch === "x64";
  const wantsSources = machine && !hasContainerd17();
  const wantsServers = machine && !hasShareServers() && process.arch === "x64";
  const wantsPrograms = !hasVolumePrograms() && process.arch === "x64";
  const wantsArm64 = arm64 && !hasArm64();
  const wanted = [
    ...missing,
    ...missingRoots.map(rootPlan),
    ...missingNodes.map((release) => `Node ${release}`),
    ...(wantsKernel ? ["a kernel"] : []),
    ...(wantsSources ? ["Go sources of containerd 1.7"] : []),
    ...(wantsServers ? ["servers of NFS and SMB"] : []),
    ...(wantsPrograms ? ["sshfs, rclone and etcd"] : []),
    ...(wantsArm64 ? ["a kernel and Node of arm64"] : []),
  ];
  if (wanted.length === 0) return console.error("cleat: the engines are installed");
  const obstacle = whyNotInstallable();
  if (obstacle) throw new Error(`${obstacle} (missing: ${wanted.join(", ")})`);
  console.error(`cleat: bringing ${wanted.join(", ")}`);
  const startedAt = performance.now();
  aptGet("update", "--quiet=2");
  if (missing.length > 0) installMissing(missing);
  for (const suite of missingRoots) makeRoot(suite);
  for (const release of missingNodes) fetchNode(release);
  if (wantsKernel) unpackKernel();
  if (wantsSources) unpackContainerd17();
  if (wantsServers) unpackShareServers();
  if (wantsPrograms) unpackVolumePrograms();
  if (wantsArm64) bringArm64();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.error(`cleat: all of that took ${seconds} s; ${cacheFolder} takes ${diskMb(cacheFolder)} MB`);
}

function installMissing(missing) {
  console.error(`cleat: installing ${missing.length} Debian packages: ${missing.join(" ")}`);
  withoutStartingServices(() => {
    // A Docker that somebody installed from elsewhere would have to go for docker.io; that is not ours to decide.
    aptGet("install", "--quiet=2", "--yes", "--no-install-recommends", "--no-remove", ...missing);
  });
}

function isInstalled(name) {
  const query = spawnSync("dpkg-query", ["--show", "--showformat=${db:Status-Status}", name], { encoding: "utf8" });
  return query.stdout === "installed";
}

function aptGet(...args) {
  const status = run("apt-get", args, {
    stdio: ["ignore", 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (status !== 0) throw new Error(`apt-get ${args[0]} ended with code ${status}`);
}

/** Debian starts a daemon when its package is installed, unless this script answers 101 (invoke-rc.d(8)). */
function withoutStartingServices(install) {
  const policy = "/usr/sbin/policy-rc.d";
  if (existsSync(policy)) return install();
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    return install();
  } finally {
    rmSync(policy);
  }
}

const usage = `usage: npm run engines

Installs the container engines and file-system tools that the kernel and engine tests need, as Debian packages, and
unpacks beside them, into ${cacheFolder}, the engines of later Debian releases, later Nodes, a kernel for a virtual
machine, servers of shares for it, and programs behind volumes. Says first what it will install; does nothing when all
of it is there. Takes root.
`;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  answerHelp(usage);
  await main(() => installEngines());
}
