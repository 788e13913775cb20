/** Graph drivers: the contract (`driver.ts` is the manual), the drivers, and both ends of Docker's protocol for them. */
export type * from "./driver.ts";
export type * from "./selection/probe-report.ts";
export { assertLayerId, layerIdPattern } from "./layer-id.ts";
export { type OptionValues, readDriverOptions } from "./driver-options.ts";
export { btrfs } from "./btrfs/btrfs.ts";
export { fuseOverlayfs } from "./fuse-overlayfs/fuse-overlayfs.ts";
export { overlay2 } from "./overlay2/overlay2.ts";
export { vfs } from "./vfs/vfs.ts";
export { builtInFactories, createDriverRegistry, type DriverRegistry } from "./selection/registry.ts";
export { type Candidate, decide, type Decision, type Place } from "./selection/decision.ts";
export { diagnose, type Diagnosis, type DriverFindings } from "./selection/diagnosis.ts";
export type { FuseFindings } from "./selection/fuse-findings.ts";
export type { PrivilegeFindings } from "./selection/privilege-findings.ts";
export { assertDriverWorks } from "./selection/assert-driver-works.ts";
export { createAutomaticDriver } from "./selection/automatic-driver.ts";
export { createGraphDriverPlugin, type GraphDriverPlugin, type GraphDriverPluginOptions } from "./plugin/as-plugin.ts";
export { optionsForHost } from "./driver-options.ts";
export { createGraphDriverFromPlugin, type FromPluginOptions } from "./plugin/from-plugin.ts";
export { type GraphDriverPlugins, openDriver, type OpenDriverOptions } from "./selection/open-driver.ts";
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
export { type InitRecord, type InitStore, readInitRecord } from "./plugin/init-record.ts";
