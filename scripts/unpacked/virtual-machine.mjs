/**
 * A kernel for the tests that need one other than the machine's: Debian's for virtual machines, unpacked into a folder
 * of its own, never installed. qemu boots it (`test/kernel/virtual-machine`).
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "./staged-folder.mjs";

/** Holds `boot/vmlinuz-VERSION` and `lib/modules/VERSION` of one kernel. */
export const kernelFolder = "/var/cache/cleat/kernel";

/** The package that always depends on the newest kernel; 27 MB to fetch, 106 MB unpacked. */
const kernelPackage = "linux-image-cloud-amd64";

/** The kernel that is there: what Linux calls its version, or undefined. */
export function kernelVersion() {
  const modules = join(kernelFolder, "lib/modules");
  return existsSync(modules) ? readdirSync(modules)[0] : undefined;
}

/** Fetches and unpacks the kernel, unless one is there. Debian's lists of packages must be fresh. */
export function unpackKernel() {
  if (kernelVersion() !== undefined || process.arch !== "x64") return;
  console.error(`cleat: unpacking the kernel of ${kernelPackage} into ${kernelFolder}`);
  makeFolder(kernelFolder, (staged) => {
    mkdirSync(staged);
    const depends = output("apt-cache", ["depends", kernelPackage], staged);
    const [, name] = /Depends: (linux-image-\S+)/.exec(depends) ?? [];
    if (name === undefined) throw new Error(`${kernelPackage} depends on no kernel: ${depends.trim()}`);
    // Run by root, apt would rather drop to a user who may not write here.
    output("apt-get", ["download", "--quiet=2", "--option=APT::Sandbox::User=root", name], staged);
    const [archive] = readdirSync(staged);
    output("dpkg-deb", ["--extract", archive, "."], staged);
    rmSync(join(staged, archive));
  });
}

function output(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with code ${status}: ${stderr.trim()}`);
  return stdout;
}
