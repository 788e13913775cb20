import { existsSync, mkdirSync } from "node:fs";
import { isDiskFull, isSystemError, toCleatError, UnsupportedError } from "../../../errors/index.ts";
import { type OverlayPrefix, removeTree, withFolderAt } from "../../../layer/index.ts";
import {
  changeDirectory,
  fileSystemName,
  MNT_DETACH,
  mount,
  recordsEntryTypes,
  umount2,
} from "../../../syscall/index.ts";
import { readDriverRecord, stagingPath, uniqueName } from "../../../graphdriver/job-kit.ts";
import { takesLayerByLayer } from "../mount/mount-layer.ts";
import { ownAttributePrefix } from "../../overlay/layout/own-attributes.ts";
import { isPassingFailure } from "../../overlay/mounts/passing-failure.ts";
import { probeNativeDiff } from "./probe-native-diff.ts";

/** What kernel and file system under a home can do. */
export interface OverlayAbilities {
  readonly backingFileSystem: string;
  readonly supportsDType: boolean;
  readonly layerByLayer: boolean;
  /** In a user namespace overlay is mounted with `userxattr`, and keeps its books in `user.` attributes. */
  readonly attributePrefix: OverlayPrefix;
  /** Why a layer's diff is not what lies in its folder, so that trees have to be compared; `undefined` where it is. */
  readonly nativeDiffObstacle: string | undefined;
}

/**
 * Finds out whether overlay works in a home by mounting one there. A disk too full for that keeps no store shut in
 * which overlay worked before, for then nothing could be removed from it. Blocks; runs on a worker.
 * @throws UNIMPLEMENTED when the kernel has no overlay, or none in user namespaces, or the file system cannot be under
 * one.
 */
export function probeOverlay(home: string): OverlayAbilities {
  const attributePrefix = ownAttributePrefix();
  try {
    return tryOut(home, attributePrefix);
  } catch (error) {
    // Overlay that finds no room for its work folder mounts read-only.
    const hasNoRoom = isDiskFull(error) || isSystemError(error, "EROFS");
    if (!hasNoRoom || readDriverRecord(home) === undefined) throw error;
    return withFolderAt(home, (folder) => ({
      backingFileSystem: fileSystemName(folder),
      supportsDType: true,
      layerByLayer: takesLayerByLayer(home),
      attributePrefix,
      nativeDiffObstacle: "the disk is too full to find out whether the kernel keeps diffs as this driver reads them",
    }));
  }
}

function tryOut(home: string, attributePrefix: OverlayPrefix): OverlayAbilities {
  const staged = stagingPath(uniqueName());
  const test = `${home}/${staged}`;
  try {
    for (const folder of ["", "/lower1", "/lower2", "/upper", "/work", "/merged"])
      mkdirSync(`${test}${folder}`, { mode: 0o700 });
    return withFolderAt(home, (folder) => {
      const backingFileSystem = fileSystemName(folder);
      withFolderAt(test, (testFolder) => tryMount(testFolder, backingFileSystem, attributePrefix));
      const supportsDType = withFolderAt(test, recordsEntryTypes);
      if (!supportsDType) throw noEntryTypes(backingFileSystem);
      const nativeDiffObstacle = probeNativeDiff(home, attributePrefix);
      const layerByLayer = takesLayerByLayer(home);
      return { backingFileSystem, supportsDType, layerByLayer, attributePrefix, nativeDiffObstacle };
    });
  } finally {
    withFolderAt(home, (folder) => removeTree(folder, staged));
  }
}

function tryMount(testFolder: number, fileSystem: string, attributePrefix: OverlayPrefix): void {
  changeDirectory(testFolder);
  try {
    const options = attributePrefix === "user." ? "userxattr," : "";
    mount("overlay", "merged", "overlay", 0, `${options}lowerdir=lower2:lower1,upperdir=upper,workdir=work`);
  } catch (error) {
    if (isPassingFailure(error)) throw error;
    const missing = {
      needed: attributePrefix === "user." ? "an overlay mount in a user namespace, of Linux 5.11" : "an overlay mount",
      probed: `mount(2) on ${fileSystem}`,
      seen: existsSync("/sys/module/overlay")
        ? toCleatError(error).message
        : `${toCleatError(error).message}; no overlay module`,
    };
    throw new UnsupportedError("overlay2", missing, { cause: error });
  }
  umount2("merged", MNT_DETACH);
}

function noEntryTypes(fileSystem: string): UnsupportedError {
  return new UnsupportedError("overlay2", {
    needed: "a file system that records the type of files in folders (d_type; xfs: mkfs.xfs -n ftype=1)",
    probed: "getdents64(2)",
    seen: `${fileSystem} without it`,
  });
}
