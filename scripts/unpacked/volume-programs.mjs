/**
 * Programs behind volumes, for the tests that mount what others serve: sshfs and a server of SSH, rclone, and etcd.
 * Debian's, unpacked into a folder of their own, never installed. They run with it as their root.
 */
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { extractPackages } from "./engine-roots.mjs";
import { cacheFolder, makeFolder } from "./staged-folder.mjs";

/** Holds `usr/bin/sshfs`, `usr/sbin/sshd`, `usr/bin/rclone` and `usr/bin/etcd`. */
export const volumeProgramsFolder = join(cacheFolder, "volume-programs");

const packages = ["sshfs", "openssh-client", "openssh-server", "rclone", "etcd-server", "etcd-client"];

/** Of no use to them: manuals, scripting languages. */
const superfluous = ["usr/share/doc", "usr/share/man", "usr/share/locale", "usr/lib/x86_64-linux-gnu/perl-base"];

export function hasVolumePrograms() {
  return existsSync(volumeProgramsFolder);
}

/** Fetches and unpacks them, unless they are there. Debian's lists of packages must be fresh. */
export function unpackVolumePrograms() {
  if (hasVolumePrograms()) return;
  console.error(`cleat: unpacking ${packages.join(", ")} into ${volumeProgramsFolder}`);
  makeFolder(volumeProgramsFolder, (folder) => {
    extractPackages({ suite: "bookworm", folder, names: packages });
    for (const path of superfluous) rmSync(join(folder, path), { recursive: true, force: true });
    for (const path of ["dev", "proc", "run/sshd", "srv", "sys"]) mkdirSync(join(folder, path), { recursive: true });
    // What packages' scripts would have made.
    if (!existsSync(join(folder, "etc/mtab"))) symlinkSync("../proc/self/mounts", join(folder, "etc/mtab"));
    writeFileSync(
      join(folder, "etc/passwd"),
      "root:x:0:0::/root:/bin/bash\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\nnobody:x:65534:65534::/:/bin/sh\n",
    );
    writeFileSync(join(folder, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
  });
}
