/**
 * Servers of NFS and SMB in user space, for the tests that mount shares in a virtual machine: Debian's, unpacked into a
 * folder of their own, never installed. They run with it as their root.
 */
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { extractPackages } from "./engine-roots.mjs";
import { cacheFolder, makeFolder } from "./staged-folder.mjs";

/** Holds `usr/bin/ganesha.nfsd` and `usr/sbin/smbd`. */
export const shareServersFolder = join(cacheFolder, "share-servers");

const packages = ["nfs-ganesha", "nfs-ganesha-vfs", "samba"];

/** Of no use to a server: devices, manuals, scripting languages. */
const superfluous = ["dev", "usr/share", "usr/lib/python3", "usr/lib/python3.11", "usr/lib/x86_64-linux-gnu/perl-base"];

export function hasShareServers() {
  return existsSync(shareServersFolder);
}

/** Fetches and unpacks the servers (170 MB), unless they are there. Debian's lists of packages must be fresh. */
export function unpackShareServers() {
  if (hasShareServers()) return;
  console.error(`cleat: unpacking ${packages.join(", ")} into ${shareServersFolder}`);
  makeFolder(shareServersFolder, (folder) => {
    extractPackages({ suite: "bookworm", folder, names: packages });
    for (const path of superfluous) rmSync(join(folder, path), { recursive: true, force: true });
    for (const path of ["dev", "proc", "run", "srv"]) mkdirSync(join(folder, path), { recursive: true });
    // What packages' scripts would have made.
    symlinkSync("../proc/self/mounts", join(folder, "etc/mtab"));
    rmSync(join(folder, "var/run"), { recursive: true, force: true });
    symlinkSync("../run", join(folder, "var/run"));
    writeFileSync(join(folder, "etc/passwd"), "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n");
    writeFileSync(join(folder, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
  });
}
