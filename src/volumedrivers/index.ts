/** Volume drivers of few lines: `managed/volume-backend.ts` is the manual. */
export type * from "./managed/volume-backend.ts";
export type * from "./options/option-table.ts";
export { createTurns, type Turns } from "./holders/turns.ts";
export {
  type ManagedVolumes,
  type ManagedVolumesOptions,
  type ManagedVolumesSettings,
  openManagedVolumes,
  type TypedVolumesOptions,
} from "./managed/open-managed-volumes.ts";
export {
  fileSystemUsage,
  type FileSystemUsage,
  hasMounts,
  isMountPoint,
  mountFileSystem,
  type MountRequest,
  unmountFileSystem,
} from "./mounting/mount-file-system.ts";
export { fillFromArchive } from "./plugin/restoring.ts";
export { createVolumeToolsFromPlugin, createVolumeToolsPlugin, type VolumeTools } from "./plugin/volume-tools.ts";
export { type HelperOptions, runHelper } from "./mounting/run-helper.ts";
export { archiveFolder, copyFolder, type TreeJobOptions, unpackArchive } from "./trees/tree-jobs.ts";
export { flagOption, isSecret, pathOption, secretOption, sizeOption, textOption } from "./options/option-types.ts";
export { type VolumeStep, type VolumeStepMessage, volumeSteps } from "./steps.ts";
export { hideListed, mountListOption, valueIn, withoutOptions } from "./options/mount-list.ts";
export {
  createSharedVolumeTypes,
  createVolumeTypes,
  defaultVolumeType,
  otherVolumeTypes,
  sharedVolumeTypes,
  volumeTypes,
  type VolumeTypesSettings,
} from "./types/volume-types.ts";
export { type GlobalVolumes, type GlobalVolumesOptions, openGlobalVolumes } from "./global/open-global-volumes.ts";
export type { EtcdOptions } from "./global/etcd.ts";
