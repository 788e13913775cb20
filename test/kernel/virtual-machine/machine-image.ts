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

export interface MachineContents {
  /** A program of Node's in a folder of its own, all of which comes along; it must be called `guest.mjs`. */
  readonly program: string;
  /** Of the host, by name; they come along with their libraries. */
  readonly commands?: readonly string[];
  /** Further modules of the kernel, by their folders. */
  readonly modules?: readonly string[];
  /** Folders of the host that come along whole: where they are to be, and where they are. */
  readonly trees?: Readonly<Record<string, string>>;
}

/** Writes an initial RAM disk to `image`, by way of `folder`. Beside Node alone it takes 120 MB. */
export function makeMachineImage(folder: string, image: string, contents: MachineContents): void {
  const { program, commands = [], modules = [], trees = {} } = contents;
  copyPrograms(folder, [realpathSync(process.execPath), ...commands.map(commandPath)]);
  cpSync(commandPath("busybox"), join(folder, "bin/busybox"));
  copyPackage(join(folder, "cleat"));
  cpSync(dirname(program), join(folder, "cleat"), { recursive: true });
  cpSync(join(import.meta.dirname, "guest/init"), join(folder, "init"));
  copyModules(folder, [...moduleFolders, ...modules]);
  for (const [target, source] of Object.entries(trees))
    cpSync(source, join(folder, target), { recursive: true, verbatimSymlinks: true });
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

function copyModules(folder: string, parts: readonly string[]): void {
  const version = kernelVersion() as string;
  const modules = join("lib/modules", version);
  for (const part of parts) {
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
