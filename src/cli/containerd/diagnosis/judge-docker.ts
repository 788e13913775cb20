import { compareBranches, formatVersion } from "../config/versions.ts";
import type { FoundDocker } from "../docker/find-docker.ts";
import { memberAt } from "../docker/daemon-json.ts";
import { type EngineFinding, off, right, wrong } from "./engine-findings.ts";

/** What is known of a Docker, for who judges it. */
export interface DockerFacts extends FoundDocker {
  /** `daemon.json`, or why it cannot be read. */
  readonly config: object | { readonly unreadable: string };
  /** Whether dockerd would start a containerd of its own. */
  readonly startsOwnContainerd: boolean;
  /** Whether containerd is configured for Cleat; `undefined` where none is there. */
  readonly containerdKnows: boolean | undefined;
}

export function judgeDocker(facts: DockerFacts): EngineFinding[] {
  const { config, configPath, version, storageDriverFlag } = facts;
  const subject = "daemon.json";
  const isFrom = (major: number) => compareBranches(version, { major, minor: 0 }) >= 0;
  const write = `cleat config docker --write${isFrom(24) ? "" : " --graph"}`;
  if ("unreadable" in config && typeof config.unreadable === "string") return [wrong(subject, config.unreadable)];
  const named = memberAt(config, ["storage-driver"]);
  const hasStore = memberAt(config, ["features", "containerd-snapshotter"]) === true;
  if (named !== undefined && storageDriverFlag !== undefined)
    return [wrong(subject, `dockerd gets --storage-driver, too, and does not start so: take it off its command line`)];
  if ((named ?? storageDriverFlag) !== "cleat")
    return [off(subject, `keeps layers elsewhere; if it should not: ${write}`)];
  const name = `Docker ${formatVersion(version)}`;
  if (hasStore && !isFrom(24)) return [wrong(subject, `${name} knows no containerd-snapshotter: ${write}`)];
  if (!hasStore && isFrom(27))
    return [
      wrong(subject, `${name} takes no graph driver plugins; features.containerd-snapshotter is missing: ${write}`),
    ];
  const place = named === undefined ? "dockerd's command line" : configPath;
  if (!hasStore) return [right(subject, `${place} names the graph driver plugin cleat`)];
  if (facts.startsOwnContainerd)
    return [
      wrong(subject, "no containerd runs, so dockerd would start its own, which knows no plugins: start one first"),
    ];
  if (facts.containerdKnows === false)
    return [
      wrong(subject, "containerd is not configured for it, and every pull fails: cleat config containerd --write"),
    ];
  return [right(subject, `${place} names the snapshotter cleat`)];
}
