import { CleatError } from "../../../errors/index.ts";

/** A release of containerd or Docker. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/**
 * When containerd came to understand what Cleat writes into its configuration: the first release of each branch that has it.
 * A branch that is not named has what the one before it has. Unknown keys of `proxy_plugins` are ignored, wrong types are not.
 * Sources: `cmd/containerd/server/config`, `plugins/transfer`, `internal/cri/config` of containerd, counted over its tags.
 */
const firstReleases = {
  /** `proxy_plugins.X.exports`: where the layers are, for who reports how full the disk is. */
  exports: ["1.6.32", "1.7.16", "2.0.0"],
  /** `proxy_plugins.X.platform` */
  platform: ["1.7.16", "2.0.0"],
  /** `proxy_plugins.X.capabilities` */
  capabilities: ["1.7.23", "2.0.0"],
  /** `type = "diff"`; releases before do not start with one: "panic: plugin: no type" (seen on 1.6.20). */
  diffProxies: ["1.7.4", "2.0.0"],
  /** `io.containerd.transfer.v1.local`, which unpacks with what its `unpack_config` lists. */
  transferService: ["1.7.0"],
  /** A snapshotter of one runtime's own, for Kubernetes. */
  runtimeSnapshotters: ["1.7.0"],
  /** `version = 3`, in which CRI's tables have other names. */
  configVersion3: ["2.0.0"],
  /** Kubernetes pulls through the transfer service. */
  criTransfers: ["2.1.0"],
  /** `exports.enable_remote_snapshot_annotations`: the transfer service says of which image a layer is. */
  annotations: ["2.1.0"],
  /** The capability `rebase`: layers are unpacked side by side, and put on their parents afterwards. */
  rebase: ["2.2.0"],
} as const satisfies Record<string, readonly string[]>;

export type ContainerdFeature = keyof typeof firstReleases;

/** The oldest branch whose configuration is known here. */
const oldest: Version = { major: 1, minor: 6, patch: 0 };

/**
 * Reads "1.7.24", "v2.1.9", "1.6.20~ds1". "2.1" is 2.1.0, which knows least of its branch.
 * @throws INVALID_ARGUMENT when it is not a version.
 */
export function parseVersion(text: string): Version {
  const numbers = /^v?(\d{1,4})(?:\.(\d{1,4})(?:\.(\d{1,6}))?)?(?![\d.])/.exec(text);
  if (numbers === null)
    throw new CleatError("INVALID_ARGUMENT", `${JSON.stringify(text)} is not a version, as 2.1.9 is`);
  const [major = 0, minor = 0, patch = 0] = numbers.slice(1).map((digits) => Number(digits ?? 0));
  return { major, minor, patch };
}

/** @throws INVALID_ARGUMENT when containerd is older than what is known here. */
export function parseContainerdVersion(text: string): Version {
  const version = parseVersion(text);
  if (compareBranches(version, oldest) >= 0) return version;
  throw new CleatError(
    "INVALID_ARGUMENT",
    `containerd ${formatVersion(version)} is too old: Cleat knows 1.6 and later`,
  );
}

export function formatVersion({ major, minor, patch }: Version): string {
  return `${major}.${minor}.${patch}`;
}

/** Whether this containerd understands it. */
export function hasFeature(version: Version, feature: ContainerdFeature): boolean {
  const releases = firstReleases[feature].map(parseVersion);
  const nearest = releases.findLast((release) => compareBranches(release, version) <= 0);
  if (nearest === undefined) return false;
  return compareBranches(nearest, version) < 0 || nearest.patch <= version.patch;
}

/** "1.7.4": the oldest release that has it. */
export function firstReleaseWith(feature: ContainerdFeature): string {
  return firstReleases[feature][0];
}

/** Below zero when `a` is of an older branch than `b`. */
export function compareBranches(a: Pick<Version, "major" | "minor">, b: Pick<Version, "major" | "minor">): number {
  return a.major - b.major || a.minor - b.minor;
}
