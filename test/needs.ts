/**
 * What a test may need beyond Node: each need says whether it is met here, if not why, and which command brings it. A
 * missing need skips the tests that name it and is printed once at the end of the run; with CI=true it fails them.
 */
import { spawnSync } from "node:child_process";
import { accessSync, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "vitest";
import { hasRoot, rootFolder, type Suite } from "#scripts/unpacked/engine-roots.mjs";
import { containerd17Folder, hasContainerd17 } from "#scripts/unpacked/containerd-sources.mjs";
import { hasShareServers, shareServersFolder } from "#scripts/unpacked/share-servers.mjs";
import { arm64Folder, hasArm64 } from "#scripts/unpacked/arm64-machine.mjs";
import { kernelFolder, kernelVersion } from "#scripts/unpacked/virtual-machine.mjs";
import { hasVolumePrograms, volumeProgramsFolder } from "#scripts/unpacked/volume-programs.mjs";
import { overlayObstacle } from "./harness/namespaces/overlay-probe.ts";
import { hasGraphDriverPlugins, machine, type EngineName, type EngineRelease } from "./harness/namespaces/release.ts";

export interface Need {
  readonly name: string;
  readonly met: boolean;
  /** Why it is not met; empty when it is. */
  readonly reason: string;
  /** The command that would bring it. */
  readonly bring: string;
}

const asRoot = process.getuid?.() === 0;
/** An ordinary user's path often lacks the folders where daemons are. */
const searchPath = [process.env["PATH"] ?? "", "/usr/sbin", "/sbin"].join(delimiter);
const engines = asRoot ? "npm run engines" : "sudo npm run engines";

export const needs = {
  root: need("root", "sudo npm test", () => (asRoot ? undefined : "these tests mount file systems and start engines")),
  dockerd: need("dockerd", engines, dockerdObstacle),
  podman: need("podman", engines, () => commandObstacle("podman", "runc")),
  trixie: need("Debian 13's engines", engines, () => rootObstacle("trixie")),
  forky: need("the engines of Debian testing", engines, () => rootObstacle("forky")),
  containerd: need("containerd", engines, () => commandObstacle("containerd", "ctr", "runc")),
  registry: need("docker-registry", engines, () => commandObstacle("docker-registry")),
  busybox: need("busybox", engines, () => commandObstacle("busybox")),
  ip: need("iproute2", engines, () => commandObstacle("ip")),
  strace: need("strace", engines, () => commandObstacle("strace")),
  attr: need("attr", engines, () => commandObstacle("setfattr", "getfattr", "setcap")),
  bsdtar: need("bsdtar", engines, () => commandObstacle("bsdtar")),
  fuseOverlayfs: need("fuse-overlayfs", engines, () => commandObstacle("fuse-overlayfs")),
  fuseMount: need("mount.fuse3", engines, () => commandObstacle("mount.fuse3", "fusermount3")),
  overlay: need(
    "overlay",
    "a kernel with overlayfs, on a machine whose /var/tmp is not an overlay itself",
    overlayObstacle,
  ),
  loopDevices: need("loop devices", "a machine that lets containers use /dev/loop-control", loopObstacle),
  ext4: need("ext4", engines, () => fileSystemObstacle("ext4")),
  xfs: need("xfs", engines, () => fileSystemObstacle("xfs")),
  btrfs: need("btrfs", engines, () => fileSystemObstacle("btrfs")),
  go: need("go", engines, () => commandObstacle("go")),
  virtualMachine: need("a virtual machine", engines, virtualMachineObstacle),
  arm64Machine: need("a virtual machine of arm64", "npm run nightly -- --tests --only arm64", arm64Obstacle),
  shareServers: need("servers of NFS and SMB", engines, () =>
    hasShareServers() ? undefined : `no ${shareServersFolder}`,
  ),
  containerd17: need("containerd 1.7's source", engines, () =>
    hasContainerd17() ? undefined : `no ${containerd17Folder}`,
  ),
  volumePrograms: need("sshfs, rclone and etcd", engines, () =>
    hasVolumePrograms() ? undefined : `no ${volumeProgramsFolder}`,
  ),
  recordedDisks: need("qemu-storage-daemon", engines, () => commandObstacle("qemu-storage-daemon", "fusermount3")),
  mobySource: need("moby's source", engines, mobySourceObstacle),
} satisfies Record<string, Need>;

/** What it takes to run an engine of a release. */
export function needsOf({ suite }: EngineRelease, engine: EngineName): readonly Need[] {
  const ofMachine = { docker: needs.dockerd, podman: needs.podman, containerd: needs.containerd };
  if (suite === "machine") return [needs.root, ofMachine[engine]];
  return [needs.root, needs[suite]];
}

/** As `describe`; where a need is missing the tests are skipped with the reason or, with CI=true, one fails with it. */
export function describeWith(required: readonly Need[], title: string, body: () => void): void {
  const missing = required.filter(({ met }) => !met);
  if (missing.length === 0) describe(title, body);
  else if (process.env["CI"] === "true") describe(title, () => test("has what it needs", () => refuse(missing)));
  else describe.skip(title, { meta: { missingNeeds: missing.map(formatNeed) } }, body);
}

declare module "vitest" {
  interface TaskMeta {
    missingNeeds?: string[];
  }
}

function refuse(missing: readonly Need[]): never {
  throw new Error(`CI must have everything: ${missing.map(formatNeed).join("; ")}`);
}

function formatNeed({ name, reason, bring }: Need): string {
  return `${name}: ${reason} (bring it with: ${bring})`;
}

/** A probe answers what is in the way, or nothing; it runs when the need is first asked about. */
function need(name: string, bring: string, probe: () => string | undefined): Need {
  let obstacle: { readonly text: string | undefined } | undefined;
  const probed = () => (obstacle ??= { text: probe() }).text;
  return {
    name,
    bring,
    get met() {
      return probed() === undefined;
    },
    get reason() {
      return probed() ?? "";
    },
  };
}

function dockerdObstacle(): string | undefined {
  const obstacle = commandObstacle("dockerd", "docker", "containerd", "runc");
  if (obstacle || hasGraphDriverPlugins(machine)) return obstacle;
  return `dockerd ${machine.docker} has no graph driver plugins; 20 to 26 have`;
}

function rootObstacle(suite: Suite): string | undefined {
  return hasRoot(suite) ? undefined : `no ${rootFolder(suite)}, or one made of other packages`;
}

function commandObstacle(...names: string[]): string | undefined {
  const missing = names.filter((name) => !isCommand(name));
  return missing.length === 0 ? undefined : `no ${missing.join(", ")} in PATH`;
}

function isCommand(name: string): boolean {
  return searchPath.split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/** Debian's `golang-github-docker-docker-dev`, and what it is compiled with. */
function mobySourceObstacle(): string | undefined {
  const host = "/usr/share/gocode/src/github.com/docker/docker/pkg/plugins";
  return existsSync(host) ? undefined : `no ${host}`;
}

/** An emulator, and a kernel for it. */
function virtualMachineObstacle(): string | undefined {
  if (process.arch !== "x64") return `the kernel for it is of x64, this machine of ${process.arch}`;
  return kernelVersion() === undefined ? `no kernel in ${kernelFolder}` : commandObstacle("qemu-system-x86_64");
}

/** An emulator, a kernel and a Node for it. */
function arm64Obstacle(): string | undefined {
  return hasArm64() ? commandObstacle("qemu-system-aarch64") : `nothing of arm64 in ${arm64Folder}`;
}

function fileSystemObstacle(type: string): string | undefined {
  const known = () =>
    new RegExp(`^\\s*${type}$`, "m").test(readFileSync("/proc/filesystems", "utf8").replace(/nodev/g, ""));
  if (!known() && (spawnSync("modprobe", ["--quiet", type], { env: { PATH: searchPath } }).status !== 0 || !known())) {
    return `the kernel does not know ${type}`;
  }
  return commandObstacle(`mkfs.${type}`);
}

function loopObstacle(): string | undefined {
  try {
    accessSync("/dev/loop-control");
  } catch {
    return "no /dev/loop-control";
  }
  return spawnSync("losetup", ["--find"], { env: { PATH: searchPath } }).status === 0
    ? undefined
    : "no free loop device";
}
