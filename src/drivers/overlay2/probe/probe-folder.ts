/**
 * Whether overlay2 could keep a store in a folder. A worker's module of its own, since its thread gets other mounts.
 */
import { realpathSync } from "node:fs";
import { isSystemError, type MissingAbility, type SystemError } from "../../../errors/index.ts";
import {
  fileSystemName,
  isInUserNamespace,
  mountHolding,
  readMounts,
  recordsEntryTypes,
  withFolderAt,
} from "../../../syscall/index.ts";
import { attributeless, type ProbeFindings, unprivileged, unwritable } from "../../../graphdriver/probe-kit.ts";
import type { ProbedFeature } from "../../../graphdriver/index.ts";
import { ownAttributePrefix } from "../../overlay/layout/own-attributes.ts";
import { mountedFeatures, parameterFeatures } from "./overlay-features.ts";
import { withPrivateOverlays } from "./private-overlays.ts";

export const moduleUrl = import.meta.url;

/**
 * File systems that overlay cannot write to, or not well: stacked ones, and those that ask somebody about each name.
 * Source: moby v20.10.24 `overlay2.go` `Init`; Linux v6.6 `fs/overlayfs/super.c` "not supported as upperdir".
 */
const unusable = ["9p", "afs", "aufs", "ceph", "cifs", "ecryptfs", "fuse", "nfs", "overlayfs", "smb", "smb2", "zfs"];

/**
 * Reads what there is to know about the folder, then mounts overlays where nobody else sees them, with the folder as
 * their lowest layer; what they write stays in memory. `userNamespace` is the descriptor of one with ids of its own.
 * Blocks.
 */
export function probeFolder(folder: string, userNamespace?: number): ProbeFindings {
  const fileSystem = withFolderAt(folder, fileSystemName);
  const recordsTypes = withFolderAt(folder, recordsEntryTypes);
  const dType: ProbedFeature = { name: "d_type", state: recordsTypes ? "yes" : "no", how: "getdents64(2)" };
  const forbidden = unprivileged();
  if (forbidden !== undefined) return { missing: forbidden, features: [dType, ...parameterFeatures()] };
  const unmounted =
    (unusable.includes(fileSystem) && !isVirtiofs(folder) ? notBelowOverlay("statfs(2)", fileSystem) : undefined) ??
    (recordsTypes ? undefined : noEntryTypes(fileSystem)) ??
    unwritable(folder) ??
    attributeless(folder, `${ownAttributePrefix()}overlay.opaque`);
  try {
    return withPrivateOverlays(folder, (tryOverlay) => {
      const inMemory = tryOverlay([]);
      if (inMemory.error !== undefined) return { missing: noOverlay(inMemory.error), features: [dType] };
      const { error } = tryOverlay([], { overFolder: true });
      const refused = error === undefined || cannotBeShown(folder) ? undefined : error;
      const missing = unmounted ?? (refused && notBelowOverlay("mount(2)", refused.message));
      return { missing, features: [dType, ...mountedFeatures(tryOverlay, error === undefined, userNamespace)] };
    });
  } catch (error) {
    if (!isSystemError(error, "EPERM", "EACCES")) throw error;
    const missing = { needed: "to be allowed to mount", probed: error.syscall, seen: error.message };
    return { missing: { reason: "prerequisites", ...missing }, features: [dType, ...parameterFeatures()] };
  }
}

/** A FUSE that overlay can write to, since Linux 5.7; their magic number is the same. */
function isVirtiofs(folder: string): boolean {
  return mountHolding(realpathSync(folder), readMounts())?.fileSystemType === "virtiofs";
}

/**
 * In a user namespace the kernel shows no folder again, overlay's layers included, that others have mounted something
 * in.
 */
function cannotBeShown(folder: string): boolean {
  const below = `${realpathSync(folder)}/`.replace("//", "/");
  return (
    isInUserNamespace() && readMounts().some(({ mountPoint }) => mountPoint.startsWith(below) && mountPoint !== "/")
  );
}

function noOverlay(error: SystemError): MissingAbility {
  const reason = error.code === "EPERM" || error.code === "EACCES" ? "prerequisites" : "not-supported";
  return { reason, needed: "overlay in the kernel", probed: "mount(2) in memory", seen: error.message };
}

function notBelowOverlay(probed: string, seen: string): MissingAbility {
  return { reason: "incompatible-file-system", needed: "a file system that overlay can write to", probed, seen };
}

function noEntryTypes(fileSystem: string): MissingAbility {
  return {
    reason: "incompatible-file-system",
    needed: "a file system that records the type of files in folders (d_type; xfs: mkfs.xfs -n ftype=1)",
    probed: "getdents64(2)",
    seen: `${fileSystem} without it`,
  };
}
