/**
 * Conformance kits for authors of drivers and plugins, in any language: checks as data, and what new checks are made
 * of. `graphdriver/kit.ts` says how to use the one for graph drivers.
 */
export type { Check, CheckOutcome, CheckResult } from "./check.ts";
export { runChecks, type RunChecksOptions } from "./run-checks.ts";
export { graphDriverChecks } from "./graphdriver/checks/index.ts";
export type { GraphDriverCheck } from "./graphdriver/check.ts";
export type { GraphDriverContext } from "./graphdriver/context.ts";
export { type GraphDriverKitOptions, runGraphDriverKit } from "./graphdriver/kit.ts";
export type { Refusals } from "./refusals.ts";
export { buildArchive } from "./archive/build-archive.ts";
export {
  type ArchiveEntry,
  type Attributes,
  device,
  fifo,
  file,
  folder,
  hardLink,
  longAgoSeconds,
  type Name,
  opaque,
  symlink,
  whiteout,
} from "./archive/entry.ts";
export { assertSameTree } from "./tree/assert-same-tree.ts";
export { expectedChanges } from "./tree/expected-changes.ts";
export type { TreeWriter } from "./tree/tree-writer.ts";
export { readTree } from "./tree/read-tree.ts";
export { createReplay, type Replay } from "./tree/replay.ts";
export type { Tree, TreeNode } from "./tree/tree.ts";
export { snapshotterChecks } from "./snapshotter/checks/index.ts";
export type { SnapshotterCheck } from "./snapshotter/check.ts";
export type { SnapshotterAbilities, SnapshotterContext } from "./snapshotter/context.ts";
export { runSnapshotterKit, type SnapshotterKitOptions } from "./snapshotter/kit.ts";
export { type EngineDialect, engineDialects } from "./wire/engine-dialects.ts";
export type { PeerConnection, PluginPeer, WireAnswer, WireMessage } from "./wire/plugin-peer.ts";
export type { WireCheck, WireContext } from "./protocol/context.ts";
export { type PluginKitOptions, runPluginKit, wireChecksOf } from "./protocol/kit.ts";
export { volumeDriverChecks } from "./volume/checks/index.ts";
export type { VolumeCheck, VolumeContext } from "./volume/context.ts";
export { runVolumeDriverKit, type VolumeDriverKitOptions } from "./volume/kit.ts";
export type { KitRunOptions, KitSubject, RestartOptions } from "./driver-kit.ts";
export { ipamDriverChecks } from "./ipam/checks/index.ts";
export type { IpamCheck, IpamContext } from "./ipam/context.ts";
export { type IpamDriverKitOptions, runIpamDriverKit } from "./ipam/kit.ts";
export { networkDriverChecks } from "./network/checks/index.ts";
export type { NetworkCheck, NetworkContext } from "./network/context.ts";
export { type NetworkDriverKitOptions, runNetworkDriverKit } from "./network/kit.ts";
export { authzChecks } from "./authz/checks/index.ts";
export { type AuthzCheck, type AuthzContext, requestFacts } from "./authz/context.ts";
export { type AuthzKitOptions, runAuthzKit } from "./authz/kit.ts";
export { logDriverChecks } from "./logdriver/checks/index.ts";
export type { LogCheck, LogContext } from "./logdriver/context.ts";
export { type LogDriverKitOptions, runLogDriverKit } from "./logdriver/kit.ts";
export { secretProviderChecks } from "./secret/checks.ts";
export type { SecretCheck, SecretContext } from "./secret/context.ts";
export { runSecretProviderKit, type SecretProviderKitOptions } from "./secret/kit.ts";
export { metricsCollectorChecks } from "./metrics/checks.ts";
export type { MetricsCheck, MetricsContext } from "./metrics/context.ts";
export { type MetricsCollectorKitOptions, runMetricsCollectorKit } from "./metrics/kit.ts";
export { layerWireChecks } from "./graphdriver/wire/checks.ts";
export type { LayerWireCheck, LayerWireContext } from "./graphdriver/wire/context.ts";
export { type LayerWireKitOptions, runLayerWireKit } from "./graphdriver/wire/kit.ts";
