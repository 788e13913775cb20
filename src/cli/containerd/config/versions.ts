import { CleatError } from "../../../errors/index.ts";

/** A release of containerd or Docker. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/**
 * When containerd came to understand what Cleat writes into its configuration: the first release of each branch that
 * has it. A branch that is not named has what the one before it has. Unknown keys of `proxy_plugins` are ignored, wrong
 * types are not. Sources: `cmd/containerd/server/config`, `plugins/transfer`, `internal/cri/config` of containerd,
 * counted over its tags.
 */
const features = {
  exports: { means: "`exports` of a plugin: where its layers are", since: ["1.6.32", "1.7.16", "2.0.0"] },
  platform: { means: "`platform` of a plugin", since: ["1.7.16", "2.0.0"] },
  capabilities: { means: "`capabilities` of a plugin", since: ["1.7.23", "2.0.0"] },
  /** Releases before do not start with one: "panic: plugin: no type" (seen on 1.6.20). */
  diffProxies: { means: 'plugins with `type = "diff"`', since: ["1.7.4", "2.0.0"] },
  transferService: { means: "the transfer service, and its `unpack_config`", since: ["1.7.0"] },
  runtimeSnapshotters: { means: "a snapshotter for one runtime of Kubernetes'", since: ["1.7.0"] },
  configVersion3: { means: "`version = 3`, in which Kubernetes' tables have other names", since: ["2.0.0"] },
  criTransfers: { means: "Kubernetes pulls by the transfer service", since: ["2.1.0"] },
  annotations: { means: "`enable_remote_snapshot_annotations`: of which image a layer is", since: ["2.1.0"] },
  rebase: { means: "the capability `rebase`: layers are unpacked side by side", since: ["2.2.0"] },
} as const satisfies Record<string, { readonly means: string; readonly since: readonly [string, ...string[]] }>;

export type ContainerdFeature = keyof typeof features;

/** For a page: what each is, and the first release of each branch that has it. */
export function listFeatures(): readonly (readonly [means: string, since: string])[] {
  return Object.values(features).map(({ means, since }) => [means, since.join(", ")]);
}

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
  const releases = features[feature].since.map(parseVersion);
  const nearest = releases.findLast((release) => compareBranches(release, version) <= 0);
  if (nearest === undefined) return false;
  return compareBranches(nearest, version) < 0 || nearest.patch <= version.patch;
}

/** "1.7.4": the oldest release that has it. */
export function firstReleaseWith(feature: ContainerdFeature): string {
  return features[feature].since[0];
}

/** Below zero when `a` is of an older branch than `b`. */
export function compareBranches(a: Pick<Version, "major" | "minor">, b: Pick<Version, "major" | "minor">): number {
  return a.major - b.major || a.minor - b.minor;
}
