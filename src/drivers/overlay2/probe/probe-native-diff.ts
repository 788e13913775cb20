import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { isSystemError, UnsupportedError } from "../../../errors/index.ts";
import { noOverlayFeatures, type OverlayPrefix, removeTree, withFolderAt } from "../../../layer/index.ts";
import { changeDirectory, fgetxattr, fsetxattr, MNT_DETACH, mount, umount2 } from "../../../syscall/index.ts";
import { stagingPath, uniqueName } from "../../../graphdriver/job-kit.ts";
import { mountSwitches } from "../mount/mount-switches.ts";

/**
 * Why the diff folder of a layer that this driver mounts would not be its diff; `undefined` where it is. Tries out the
 * two known reasons in a mount as the driver's own: kernels before 4.8 mark copies of opaque folders opaque, and one
 * that redirects folders in spite of what it is told keeps their content elsewhere. Blocks; runs on a worker.
 *
 * Source: moby v20.10.24 `daemon/graphdriver/overlay2/check.go` `doesSupportNativeDiff`.
 * @throws UNIMPLEMENTED when the file system keeps no attributes for overlay.
 */
export function probeNativeDiff(home: string, attributePrefix: OverlayPrefix): string | undefined {
  const staged = stagingPath(uniqueName());
  const test = `${home}/${staged}`;
  try {
    for (const folder of ["", "/l1", "/l1/d", "/l1/d1", "/l2", "/l2/d", "/l3", "/work", "/merged"])
      mkdirSync(`${test}${folder}`, { mode: 0o700 });
    markOpaque(`${test}/l2/d`, `${attributePrefix}overlay.opaque`);
    return withFolderAt(test, (folder) => {
      changeDirectory(folder);
      const switches = mountSwitches(attributePrefix, noOverlayFeatures).map((one) => one.join("="));
      const data = [...switches, "lowerdir=l2:l1,upperdir=l3,workdir=work"].join(",");
      mount("overlay", "merged", "overlay", 0, data);
      try {
        return tryOut(test, attributePrefix);
      } finally {
        umount2("merged", MNT_DETACH);
      }
    });
  } finally {
    withFolderAt(home, (folder) => removeTree(folder, staged));
  }
}

function markOpaque(folder: string, attribute: string): void {
  try {
    withFolderAt(folder, (descriptor) => fsetxattr(descriptor, attribute, Buffer.from("y")));
  } catch (error) {
    if (!isSystemError(error, "ENOTSUP", "EOPNOTSUPP")) throw error;
    const missing = { needed: `the attribute "${attribute}"`, probed: "fsetxattr(2)", seen: error.message };
    throw new UnsupportedError("overlay2", missing, { cause: error });
  }
}

function tryOut(test: string, attributePrefix: OverlayPrefix): string | undefined {
  writeFileSync(`${test}/merged/d/f`, "");
  if (attributeOf(`${test}/l3/d`, `${attributePrefix}overlay.opaque`) === "y")
    return "the kernel copies the mark of opaque folders, as those before 4.8 did";
  try {
    renameSync(`${test}/merged/d1`, `${test}/merged/d2`);
  } catch (error) {
    if (isSystemError(error, "EXDEV")) return undefined;
    throw error;
  }
  const redirect = attributeOf(`${test}/l3/d2`, `${attributePrefix}overlay.redirect`);
  return redirect === undefined ? undefined : "the kernel redirects renamed folders, though it is told not to";
}

function attributeOf(folder: string, attribute: string): string | undefined {
  return withFolderAt(folder, (descriptor) => fgetxattr(descriptor, attribute))?.toString();
}
