/** What the virtual machine has in its memory: Node, the built package, busybox, and the modules of its kernel. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { MachineKind } from "./machine-kinds.ts";

const projectFolder = join(import.meta.dirname, "../../..");

/** Modules of a kernel, by what they are for: disks, the file systems and their quotas, and what these depend on. */
const moduleFolders = [
  "crypto",
  "drivers/block",
  "drivers/char",
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
export function makeMachineImage(folder: string, image: string, kind: MachineKind, contents: MachineContents): void {
  const { program, commands = [], modules = [], trees = {} } = contents;
  kind.copyPrograms(folder, commands);
  copyPackage(join(folder, "cleat"));
  for (const [name, path] of Object.entries(kind.nativePackages))
    cpSync(path, join(folder, "cleat/node_modules", name), { recursive: true });
  cpSync(dirname(program), join(folder, "cleat"), { recursive: true });
  cpSync(join(import.meta.dirname, "guest/init"), join(folder, "init"));
  copyModules(folder, kind, [...moduleFolders, ...kind.moduleFolders, ...modules]);
  for (const [target, source] of Object.entries(trees))
    cpSync(source, join(folder, target), { recursive: true, verbatimSymlinks: true });
  const archive = 'cd "$1" && find . | busybox cpio -o -H newc > "$2" 2>/dev/null';
  execFileSync("sh", ["-c", archive, "sh", folder, image]);
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

function copyModules(folder: string, { kernelFolder, kernelVersion }: MachineKind, parts: readonly string[]): void {
  const modules = join("lib/modules", kernelVersion());
  for (const part of parts) {
    const path = join(modules, "kernel", part);
    if (existsSync(join(kernelFolder, path))) cpSync(join(kernelFolder, path), join(folder, path), { recursive: true });
  }
  for (const name of ["modules.builtin", "modules.order"])
    cpSync(join(kernelFolder, modules, name), join(folder, modules, name));
  execFileSync("busybox", ["depmod", "-b", folder, kernelVersion()]);
}
