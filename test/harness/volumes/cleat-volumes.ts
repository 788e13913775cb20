import { rm, writeFile } from "node:fs/promises";
import { cleatCommand } from "../plugins/cleat.ts";
import type { Namespace } from "../namespaces/namespace.ts";
import { pluginSocket, startPlugin, type PluginProcess } from "../plugins/plugin-process.ts";

/** A `cleat serve volume` process. */
export interface CleatVolumes extends PluginProcess {
  /** Its folder, as the namespace sees it. */
  readonly root: string;
  /** Where it has something mounted. */
  mounts(): Promise<string[]>;
}

export async function startCleatVolumes(namespace: Namespace, name: string): Promise<CleatVolumes> {
  const root = `${namespace.folder}/volumes-of-${name}`;
  const argv = [
    ...cleatCommand,
    "serve",
    "volume",
    `--name=${name}`,
    `--root=${root}`,
    `--socket=${pluginSocket(name)}`,
    "--log-level=debug",
  ];
  const plugin = await startPlugin(namespace, { name, argv });
  return { ...plugin, root, mounts: () => namespace.mountsUnder(`${root}/mounts`) };
}

/** Those that serve what it has mounted, by their ids in the namespace. */
export async function programsOf({ run }: Namespace, { root }: CleatVolumes): Promise<string[]> {
  const notes = await run(["sh", "-c", 'cat "$1"/volumes/*/fuse.json 2>/dev/null || true', "sh", root]);
  return Array.from(notes.matchAll(/"pid":(\d+)/g), ([, pid = ""]) => pid);
}

/**
 * What a machine that is started anew does to volumes whose plugin has ended: their mounts are gone, and the kernel
 * says that this is another boot.
 */
export async function forgetMounts(namespace: Namespace, volumes: CleatVolumes, boot: string): Promise<void> {
  for (const target of await volumes.mounts()) await namespace.run(["umount", target]);
  const path = `${namespace.folder}/boot-id`;
  await rm(path, { force: true });
  await writeFile(path, `${boot}\n`);
  await namespace.run(["mount", "--bind", path, "/proc/sys/kernel/random/boot_id"]);
}
