/** A volume of each kind that `cleat serve volume` makes and a test's machine can mount, for engines to use. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { volumeProgramsFolder } from "#scripts/unpacked/volume-programs.mjs";
import { untilReady } from "../processes/daemon.ts";
import type { Namespace } from "../namespaces/namespace.ts";

export interface VolumeKind {
  /** Also the volume's name. */
  readonly name: string;
  /** What `type` is shown as. */
  readonly type: string;
  readonly options: Readonly<Record<string, string>>;
  /** What is in the file `theirs` before anybody has written, where there is one. */
  readonly theirs?: string;
  /** Refuses what containers write. */
  readonly isReadOnly?: boolean;
  /** Is a folder of the driver's own, where nothing is mounted. */
  readonly isPlain?: boolean;
  /** Has nothing of what was written, once it was unmounted. */
  readonly isForgetful?: boolean;
}

const content = "theirs";
/** An overlay does not show what is mounted below: of another release's root the Node is. */
const addPrograms = `
  set -e
  mkdir /run/usr
  mount --rbind /usr /run/usr
  mount -t overlay -o "lowerdir=/usr:$1/usr" none /usr
  if [ -d "$1/lib" ]; then
    mount -t overlay -o "lowerdir=/run/usr/lib:$1/usr/lib:$1/lib" none /usr/lib
  fi
  case "$2" in /usr/*) mount --bind "/run$2" "$2" ;; esac
  umount -l /run/usr
`;

/**
 * Those that need no server. Of `origin`, which holds the file `theirs`, some are made: so it has to
 * be there, and comes first.
 */
export async function hostKinds({ folder }: Namespace): Promise<readonly VolumeKind[]> {
  const device = `${folder}/device`;
  await mkdir(device);
  await writeFile(`${device}/theirs`, content);
  return [
    { name: "plain", type: "local", options: {}, isPlain: true },
    { name: "clone", type: "local", options: { from: "origin" }, theirs: content, isPlain: true },
    {
      name: "snapshot",
      type: "local",
      options: { from: "origin", snapshot: "true" },
      theirs: content,
      isReadOnly: true,
    },
    { name: "memory", type: "tmpfs", options: { type: "tmpfs", size: "1m", o: "nodev" }, isForgetful: true },
    { name: "bound", type: "bind", options: { type: "bind", device }, theirs: content },
    { name: "above", type: "overlay", options: { type: "overlay", device }, theirs: content },
    { name: "disk", type: "image", options: { type: "image", size: "16m" } },
    { name: "disk-clone", type: "image", options: { type: "image", from: "disk" } },
  ];
}

/** Those of servers that run in the namespace from now on; its folder of programs has to be in its root. */
export async function servedKinds(namespace: Namespace): Promise<readonly VolumeKind[]> {
  const folder = `${namespace.folder}/servers`;
  await mkdir(folder);
  await namespace.run(["busybox", "ip", "link", "set", "lo", "up"]);
  await namespace.run(["sh", "-c", addPrograms, "sh", volumeProgramsFolder, process.execPath]);
  const program = resolve("test/harness/volumes/serve-volumes.mjs");
  const argv = ["unshare", "--mount", process.execPath, program, folder, volumeProgramsFolder];
  const daemon = await namespace.startWithMachineFiles("servers", argv);
  const list = `${folder}/servers.json`;
  await untilReady(daemon, "servers to listen", async () => existsSync(list));
  const found = JSON.parse(await readFile(list, "utf8")) as Record<string, Record<string, string>>;
  return Object.entries(found).map(([type, options]) => ({ name: type, type, options: { type, ...options } }));
}
