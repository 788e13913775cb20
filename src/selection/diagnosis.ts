import { realpathSync } from "node:fs";
import { release } from "node:os";
import { errorCodes, type UnsupportedReason, unsupportedReasons } from "../errors/index.ts";
import { mountHolding, readMounts } from "../syscall/index.ts";
import { type Candidate, decideDriver, type DriverDecision, type StorePlace } from "./decision.ts";
import { examineFuse, examineProjectQuotas, type FuseFindings } from "../drivers/index.ts";
import { examinePrivileges, type PrivilegeFindings } from "./privilege-findings.ts";
import type { ProbedFeature } from "../graphdriver/index.ts";
import type { DriverRegistry } from "./registry.ts";

/** All that a decision rests on, as plain data: what `cleat doctor --json` prints. */
export interface Diagnosis {
  readonly kernel: { readonly release: string; readonly architecture: string };
  readonly privileges: PrivilegeFindings;
  readonly fuse: FuseFindings;
  /** The root or the home that was asked about. */
  readonly place: string;
  /** What was looked at: the place, or the nearest folder above that exists. */
  readonly folder: string;
  readonly fileSystem: {
    /** By its magic number, as Docker prints it: "extfs". */
    readonly name: string;
    /** As it is mounted, "ext4", "fuse.fuse-overlayfs"; `null` where the mount is not visible. */
    readonly type: string | null;
    readonly features: readonly ProbedFeature[];
  };
  /** Whose layers are there. */
  readonly prior: readonly string[];
  /** In the order of preference. */
  readonly drivers: readonly DriverFindings[];
  /** The driver that `openDriver` opens, or `cleat serve graph --driver auto`. */
  readonly chosen: string | null;
  /** Why there is none. */
  readonly refusal: { readonly code: keyof typeof errorCodes; readonly message: string } | null;
}

export interface DriverFindings {
  readonly name: string;
  readonly verdict: "chosen" | "works" | "not probed" | "unsupported" | "not built in";
  readonly reason: UnsupportedReason | null;
  /** In words: why it is not the one, or why it is. */
  readonly why: string;
  readonly features: readonly ProbedFeature[];
}

/** Makes the decision and tells all that it rests on; makes nothing else. Throws as `decideDriver` does. */
export async function diagnose(place: StorePlace, registry: DriverRegistry): Promise<Diagnosis> {
  const decision = await decideDriver(place, registry);
  const { folder, fileSystem, prior, candidates, choices, refusal } = decision;
  const type = mountHolding(realpathSync(folder), readMounts())?.fileSystemType ?? null;
  return {
    kernel: { release: release(), architecture: process.arch },
    privileges: examinePrivileges(),
    fuse: await examineFuse(),
    place: "root" in place ? place.root : place.home,
    folder,
    fileSystem: { name: fileSystem, type, features: [examineProjectQuotas(folder)] },
    prior,
    drivers: candidates.map((candidate) => toFindings(candidate, decision)),
    chosen: choices[0] ?? null,
    refusal: refusal === undefined ? null : { code: refusal.code, message: refusal.message },
  };
}

function toFindings(candidate: Candidate, decision: DriverDecision): DriverFindings {
  const { driver: name, obstacle, features } = candidate;
  return { name, ...judge(candidate, decision), reason: obstacle?.reason ?? null, features };
}

function judge(
  { driver, registered, obstacle, probed }: Candidate,
  { prior, choices }: DriverDecision,
): Pick<DriverFindings, "verdict" | "why"> {
  const [chosen] = choices;
  if (!registered) return { verdict: "not built in", why: "a driver that Cleat does not have" };
  if (obstacle !== undefined) {
    return { verdict: "unsupported", why: `${unsupportedReasons[obstacle.reason]}: ${obstacle.message}` };
  }
  if (driver === chosen) {
    return { verdict: "chosen", why: prior.length > 0 ? "its layers are there" : "the first that works here" };
  }
  const rank = prior.length > 0 ? `layers of ${prior.join(", ")} are there` : `${chosen} comes first`;
  return probed
    ? { verdict: "works", why: rank }
    : { verdict: "not probed", why: `${rank}; whether it works shows when it is opened` };
}
