/** Graph drivers: the contract (`driver.ts` is the manual), the drivers, and both ends of Docker's protocol for them. */
export type * from "./driver.ts";
export type * from "./probe-report.ts";
export { assertLayerId, layerIdPattern } from "./layer-id.ts";
export { btrfs } from "./btrfs/btrfs.ts";
export { fuseOverlayfs } from "./fuse-overlayfs/fuse-overlayfs.ts";
export { overlay2 } from "./overlay2/overlay2.ts";
export { vfs } from "./vfs/vfs.ts";
export { builtInFactories, createDriverRegistry, type DriverRegistry } from "./registry.ts";
export { type Candidate, decide, type Decision, type Place } from "./decision.ts";
export { diagnose, type Diagnosis, type DriverFindings } from "./diagnosis.ts";
export type { FuseFindings } from "./fuse-findings.ts";
export type { PrivilegeFindings } from "./privilege-findings.ts";
export { createAutomaticDriver } from "./automatic-driver.ts";
export { createGraphDriverPlugin, type GraphDriverPlugin, type GraphDriverPluginOptions } from "./as-plugin.ts";
export { createGraphDriverFromPlugin, type FromPluginOptions } from "./from-plugin.ts";
export { type GraphDriverPlugins, openDriver, type OpenDriverOptions } from "./open-driver.ts";
export {
  type LayerStore,
  openStore,
  type OpenStoreOptions,
  type RepairConsent,
  type StoreCheck,
} from "./store/open-store.ts";
export { type Finding, type FindingKind, findingKinds } from "./store/finding.ts";
export {
  childrenByParent,
  type DescribedLayer,
  type OrphanReason,
  type StoreDescription,
} from "./store/describe-store.ts";
export type { RepairReport } from "./store/mend-store.ts";
export type { LayerMount, SurveyedLayer } from "./store/survey.ts";
export { recognizeHome } from "./store/recognize-home.ts";
export { parseInitRecord } from "./init-record.ts";
export type { InitRecord, InitStore } from "./init-record.ts";
