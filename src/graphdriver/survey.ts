import { Unread } from "./unread.ts";

/** What can be seen of a store from outside, without opening it as a driver: nothing is locked, made or written. */
export interface StoreSurvey {
  /** "overlay2", "btrfs", "vfs". */
  readonly driver: string;
  /** Absolute, symlinks resolved. */
  readonly home: string;
  /** What `--du` counts of each layer: what it adds to its parent, or all that is seen in it. */
  readonly layersHold: "diffs" | "trees";
  /** Sorted by id. */
  readonly layers: readonly SurveyedLayer[];
}

/**
 * `image`: other layers lie on it, or the engine says so. `init` and `container`: the two that Docker makes of a
 * container. `unknown`: nothing in the store tells.
 */
export type LayerRole = "image" | "init" | "container" | "unknown";

/**
 * `unfilled`: no diff was applied to it yet, which only vfs writes down; `describeStore` does not say so of the two
 * layers of a container, to which none ever is. `filling`: its diff is being applied, or was when the process died.
 * `half-made`: a part of it is missing; `cleat fsck` says which. `unreadable`: its files cannot be looked at now, and
 * it may be whole. `misfit`: its files contradict others, and may be another's.
 */
export type LayerCondition = "whole" | "unfilled" | "filling" | "half-made" | "unreadable" | "misfit";

/**
 * `none`: a layer without a parent. `unknown`: nothing tells, as a copy does not say of what it was made. `missing`:
 * what the layer lies on is not in the store.
 */
export type Parentage = "none" | "known" | "unknown" | "missing";

export interface SurveyedLayer {
  readonly id: string;
  /** `undefined` for a layer without one, and where nothing tells. */
  readonly parent: string | undefined;
  readonly parentage: Parentage;
  readonly role: LayerRole;
  readonly condition: LayerCondition;
  /** What was seen of one that is unreadable, or a misfit. */
  readonly problem?: string | undefined;
  /** Whether the driver mounts it read-only from here on, as another layer lies on it. */
  readonly committed: boolean;
  readonly mounts: readonly LayerMount[];
  /** How many `get`s wait for their `put`, as last written down; a mounted layer that nobody counted is held once. */
  readonly holds: number;
}

export interface LayerMount {
  readonly mountPoint: string;
  readonly fileSystemType: string;
  /** Whether only other mount namespaces have it. */
  readonly elsewhere: boolean;
}

/** That of a layer, given what looking at it came to. */
export function conditionOf(
  looked: unknown,
  condition: LayerCondition,
  misfit?: string,
): Pick<SurveyedLayer, "condition" | "problem"> {
  if (looked instanceof Unread) return { condition: "unreadable", problem: looked.problem };
  return misfit === undefined || condition !== "whole" ? { condition } : { condition: "misfit", problem: misfit };
}

/** What tells the role of a layer where no engine is asked. */
export function roleOf(id: string, parent: string | undefined, committed: boolean): LayerRole {
  if (id.endsWith("-init")) return "init";
  if (parent === `${id}-init`) return "container";
  return committed ? "image" : "unknown";
}
