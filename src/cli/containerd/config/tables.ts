import { CleatError } from "../../../errors/index.ts";
import { type ContainerdFeature, firstReleaseWith, formatVersion, hasFeature, type Version } from "./versions.ts";

export type ConfigValue = string | readonly string[];

/** A table that containerd's configuration is to have. */
export interface PlannedTable {
  readonly path: readonly string[];
  /**
   * One more of a list of tables, told from the others by `entry`; `builtin` where the list holds it unless it is
   * given: a list in the file replaces the one that is built in.
   */
  readonly entry?: "own" | "builtin";
  readonly values: Readonly<Record<string, ConfigValue>>;
  /** A table of config version 2 from which containerd 2 takes the same keys, whatever this one says. */
  readonly older?: readonly string[];
  /** For who reads the file. */
  readonly note: string;
}

/** What a user wants of containerd. */
export interface SnapshotterRequest {
  readonly version: Version;
  /** Of the file, as its `version` says. */
  readonly configVersion: number;
  /** Where `cleat serve snapshotter` listens: an absolute path, to which containerd puts `unix://` by itself. */
  readonly socket: string;
  /** Where it keeps layers. */
  readonly root: string;
  /** As containerd names it: "linux/amd64". */
  readonly platform: string;
  /** Whether the driver can put a layer that was unpacked alone on its parent: overlay2 can. */
  readonly canRebase: boolean;
  readonly cri: boolean;
  /** Runtimes of CRI that get a snapshotter of their own. */
  readonly criRuntimes: readonly string[];
  readonly transfer: boolean;
  readonly diff: boolean;
}

/**
 * The plugin's name in containerd: never one that containerd has itself (it would not start: "id already registered"),
 * nor one with a dot (which would be a table in a table, without a type: it would not start either).
 */
export const snapshotterName = "cleat";
export const differName = "cleat-diff";

export const criPlugin = "io.containerd.grpc.v1.cri";
export const criImagesPlugin = "io.containerd.cri.v1.images";
export const criRuntimePlugin = "io.containerd.cri.v1.runtime";
export const transferPlugin = "io.containerd.transfer.v1.local";
export const diffService = "io.containerd.service.v1.diff-service";

/** containerd's own, which is named wherever one is named: among several some releases pick any. */
const builtinDiffer = "walking";
const builtinSnapshotter = "overlayfs";

/**
 * The tables that this containerd understands, and none that it would stumble on.
 * @throws INVALID_ARGUMENT when it has not what is asked for.
 */
export function planTables(request: SnapshotterRequest): PlannedTable[] {
  assertPossible(request);
  const { version, cri, criRuntimes, transfer, diff } = request;
  const transfers = hasFeature(version, "transferService");
  // Kubernetes' pulls go that way, and a second differ makes it guess.
  const needsTransfer = diff || ((cri || criRuntimes.length > 0) && hasFeature(version, "criTransfers"));
  return [
    ...planProxies(request),
    ...(transfers && (transfer || needsTransfer) ? planTransfer(request) : []),
    ...(cri ? [planCri(request)] : []),
    ...criRuntimes.flatMap((runtime) => planCriRuntime(runtime, request)),
    ...(diff ? [planDiffService()] : []),
  ];
}

function assertPossible({ version, configVersion, criRuntimes, transfer, diff }: SnapshotterRequest): void {
  const needed: [asked: boolean, feature: ContainerdFeature, lacks: string, others: string][] = [
    [transfer, "transferService", "has no transfer service", "have one"],
    [diff, "diffProxies", "does not start where a diff proxy is configured", "do"],
    [criRuntimes.length > 0, "runtimeSnapshotters", "has no snapshotters for single runtimes", "have them"],
    [configVersion > 2, "configVersion3", `does not read files of config version ${configVersion}`, "do"],
  ];
  for (const [asked, feature, lacks, others] of needed) {
    if (!asked || hasFeature(version, feature)) continue;
    const text = `containerd ${formatVersion(version)} ${lacks}; ${firstReleaseWith(feature)} and later ${others}`;
    throw new CleatError("INVALID_ARGUMENT", text);
  }
}

function planProxies({ version, socket, root, platform, canRebase, diff }: SnapshotterRequest): PlannedTable[] {
  const known = (feature: ContainerdFeature) => hasFeature(version, feature);
  const path = ["proxy_plugins", snapshotterName];
  const shared = { address: socket, ...(known("platform") && { platform }) };
  const annotations = known("annotations") && { enable_remote_snapshot_annotations: "true" };
  return [
    {
      path,
      values: { type: "snapshot", ...shared, ...(canRebase && known("rebase") && { capabilities: ["rebase"] }) },
      note: "Layers are kept by Cleat: cleat serve snapshotter listens there.",
    },
    ...(known("exports")
      ? [
          {
            path: [...path, "exports"],
            values: { root, ...annotations },
            note: "Where they are, for who asks how full the disk is.",
          },
        ]
      : []),
    ...(diff
      ? [
          {
            path: ["proxy_plugins", differName],
            values: { type: "diff", ...shared },
            note: "Diffs of layers are made by Cleat.",
          },
        ]
      : []),
  ];
}

/** The list in the file replaces the one that is built in, so that the built-in snapshotter has to be in it as well. */
function planTransfer({ platform }: SnapshotterRequest): PlannedTable[] {
  const path = ["plugins", transferPlugin, "unpack_config"];
  const values = { platform, differ: builtinDiffer };
  return [
    {
      path,
      entry: "builtin",
      values: { ...values, snapshotter: builtinSnapshotter },
      note: "What ctr and Kubernetes pull is unpacked on one of these: containerd's own,",
    },
    { path, entry: "own", values: { ...values, snapshotter: snapshotterName }, note: "and Cleat's." },
  ];
}

/**
 * By the name that this containerd has for it, whatever the file's version: containerd 2 takes the older one into
 * account only where the file lists runtimes, too. Source: containerd v2.1.9 `plugins/cri/images/plugin.go`,
 * `migrateConfig`.
 */
function planCri({ version, configVersion }: SnapshotterRequest): PlannedTable {
  const older = ["plugins", criPlugin, "containerd"];
  const isSplit = hasFeature(version, "configVersion3");
  return {
    path: isSplit ? ["plugins", criImagesPlugin] : older,
    values: { snapshotter: snapshotterName },
    ...(isSplit && configVersion <= 2 && { older }),
    note: "Kubernetes keeps its images and containers on Cleat.",
  };
}

/**
 * A runtime in the file replaces the one that is built in, `runc`, whose type has to be said then. containerd 2 takes
 * runtimes over from files of config version 2, but not where their images are.
 */
function planCriRuntime(runtime: string, { version, configVersion }: SnapshotterRequest): PlannedTable[] {
  const own = { snapshotter: snapshotterName };
  const runtimes = {
    path: ["plugins", configVersion <= 2 ? criPlugin : criRuntimePlugin, "containerd", "runtimes", runtime],
    values: { ...(runtime === "runc" && { runtime_type: "io.containerd.runc.v2" }), ...own },
    note: `Pods of runtime ${runtime} are kept on Cleat.`,
  };
  if (!hasFeature(version, "configVersion3")) return [runtimes];
  const images = { path: ["plugins", criImagesPlugin, "runtime_platforms", runtime], values: own };
  return [runtimes, { ...images, note: "Their images, too." }];
}

/** Differs are asked in turn until one knows what it is asked for. */
function planDiffService(): PlannedTable {
  return {
    path: ["plugins", diffService],
    values: { default: [differName, builtinDiffer] },
    note: "Cleat is asked first, and containerd's own where Cleat has no answer.",
  };
}

/** This machine as containerd names it. */
export function containerdPlatform(architecture: NodeJS.Architecture): string {
  const names: Partial<Record<NodeJS.Architecture, string>> = {
    x64: "amd64",
    ia32: "386",
    arm: "arm/v7",
    ppc64: "ppc64le",
  };
  return `linux/${names[architecture] ?? architecture}`;
}
