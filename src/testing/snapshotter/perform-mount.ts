import { spawnSync } from "node:child_process";
import { posix } from "node:path";
import type { Mount } from "../../snapshotter/index.ts";
import { mount, MNT_DETACH, MS_BIND, MS_RDONLY, MS_REC, MS_REMOUNT, umount2 } from "../../syscall/index.ts";

/** What an option stands for; any other is the file system's own. Source: containerd v1.6.20 `mount/mount_linux.go`. */
const flags: Readonly<Record<string, number>> = { bind: MS_BIND, rbind: MS_BIND | MS_REC, ro: MS_RDONLY, rw: 0 };

/** One page, less its NUL. */
const maxDataBytes = 4095;

/**
 * Does what containerd does with a snapshotter's mount. Blocks, and needs root. Where the options do not fit into a
 * page the working directory of the process is changed meanwhile, to the folder that all lowers lie in.
 */
export function performMount({ type, source, options }: Mount, target: string): void {
  if (type.startsWith("fuse3.")) return mountWithHelper(type.slice("fuse3.".length), source, options, target);
  const own = options.filter((option) => flags[option] === undefined);
  const wanted = options.reduce((all, option) => all | (flags[option] ?? 0), 0);
  const data = own.join(",");
  if (Buffer.byteLength(data) <= maxDataBytes) mount(source, target, type, wanted, data);
  else inCommonFolder(own, (compact) => mount(source, target, type, wanted, compact));
  // The kernel looks at nothing but the bind the first time.
  const readOnlyBind = MS_BIND | MS_RDONLY;
  if ((wanted & readOnlyBind) === readOnlyBind) mount(source, target, type, wanted | MS_REMOUNT, data);
}

export function unmount(target: string): void {
  umount2(target, MNT_DETACH);
}

function mountWithHelper(type: string, source: string, options: readonly string[], target: string): void {
  const given = options.flatMap((option) => ["-o", option]);
  const { status, stderr } = spawnSync("mount.fuse3", [source, target, ...given, "-t", type], { encoding: "utf8" });
  if (status !== 0) throw new Error(`mount.fuse3 -t ${type} failed: ${stderr}`);
}

/** Source: containerd v1.6.20 `mount/mount_linux.go`, compactLowerdirOption. */
function inCommonFolder(options: readonly string[], run: (data: string) => void): void {
  const prefix = "lowerdir=";
  const lowers =
    options
      .find((option) => option.startsWith(prefix))
      ?.slice(prefix.length)
      .split(":") ?? [];
  if (lowers.length === 0) throw new Error("options of a mount are too long, and name no lowers");
  const top = commonParent(lowers);
  const before = process.cwd();
  process.chdir(top);
  try {
    const short = lowers.map((lower) => posix.relative(top, lower)).join(":");
    run(options.map((option) => (option.startsWith(prefix) ? prefix + short : option)).join(","));
  } finally {
    process.chdir(before);
  }
}

function commonParent(paths: readonly string[]): string {
  const split = paths.map((path) => posix.dirname(path).split("/"));
  const [first = []] = split;
  const length = first.findIndex((part, at) => split.some((parts) => parts[at] !== part));
  return length < 0 ? first.join("/") : first.slice(0, length).join("/") || "/";
}
