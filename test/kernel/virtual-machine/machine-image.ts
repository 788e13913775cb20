/** What the virtual machine has in its memory: Node, the built package, busybox, and the modules of its kernel. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

import { kernelFolder, kernelVersion } from "#scripts/virtual-machine.mjs";

const projectFolder = join(import.meta.dirname, "../../..");

/** Modules of a kernel, by what they are for: disks, the file systems and their quotas, and what these depend on. */
const moduleFolders = [
  "arch/x86/crypto",
  "crypto",
  "drivers/block",
  "drivers/virtio",
  "fs/overlayfs",
  "fs/quota",
  "fs/xfs",
  "lib",
];

/**
 * Writes an initial RAM disk to `image`, by way of `folder`. It runs `program`, whose folder comes along, and holds
 * `commands` beside Node; 120 MB without any.
 */
export function makeMachineImage(folder: string, program: string, commands: readonly string[], image: string): void {
  copyPrograms(folder, [realpathSync(process.execPath), ...commands.map(commandPath)]);
  cpSync(commandPath("busybox"), join(folder, "bin/busybox"));
  copyPackage(join(folder, "cleat"));
  cpSync(dirname(program), join(folder, "cleat"), { recursive: true });
  cpSync(join(import.meta.dirname, "guest/init"), join(folder, "init"));
  copyModules(folder);
  const archive = 'cd "$1" && find . | busybox cpio -o -H newc > "$2" 2>/dev/null';
  execFileSync("sh", ["-c", archive, "sh", folder, image]);
}

/** Each program at its name in `/usr/bin`, with the libraries it is linked to where the loader looks. */
function copyPrograms(folder: string, paths: readonly string[]): void {
  for (const path of paths) {
    cpSync(path, join(folder, "usr/bin", path.split("/").at(-1) as string));
    // It fails for those that are linked to nothing.
    const { stdout } = spawnSync("ldd", [path], { encoding: "utf8" });
    for (const [library] of stdout.matchAll(/\/\S+(?= \()/g))
      cpSync(realpathSync(library), join(folder, library), { recursive: true });
  }
}

interface LockedPackage {
  readonly dev?: boolean;
}

function copyPackage(target: string): void {
  const lock = JSON.parse(readFileSync(join(projectFolder, "package-lock.json"), "utf8")) as {
    packages: Record<string, LockedPackage>;
  };
  const runtime = Object.keys(lock.packages).filter((path) => path !== "" && !lock.packages[path]?.dev);
  for (const path of ["package.json", "dist", ...runtime]) {
    if (existsSync(join(projectFolder, path)))
      cpSync(join(projectFolder, path), join(target, path), { recursive: true });
  }
}

function copyModules(folder: string): void {
  const version = kernelVersion() as string;
  const modules = join("lib/modules", version);
  for (const part of moduleFolders) {
    const path = join(modules, "kernel", part);
    cpSync(join(kernelFolder, path), join(folder, path), { recursive: true });
  }
  for (const name of ["modules.builtin", "modules.order"])
    cpSync(join(kernelFolder, modules, name), join(folder, modules, name));
  execFileSync("busybox", ["depmod", "-b", folder, version]);
}

function commandPath(name: string): string {
  return execFileSync("sh", ["-c", 'command -v "$1"', "sh", name], { encoding: "utf8" }).trim();
}

export function kernelImage(): string {
  return join(kernelFolder, `boot/vmlinuz-${kernelVersion()}`);
}
