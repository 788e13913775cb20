import type { UnsupportedError } from "../errors/index.ts";

/** What a driver found out about a folder, without making anything in it. */
export interface ProbeReport {
  /** Why the driver does not work there; `undefined` where it does. */
  readonly obstacle: UnsupportedError | undefined;
  /** What kernel and file system can do for it, in the order to print them. */
  readonly features: readonly ProbedFeature[];
}

/** An ability that makes a driver better, or worse, but not impossible. */
export interface ProbedFeature {
  /** As the field has it: "metacopy". */
  readonly name: string;
  /** `unknown` where this process may not find out. */
  readonly state: "yes" | "no" | "unknown";
  /** How that was found out: "mounted", "fsconfig(2)". */
  readonly how: string;
  /** What else was seen: the kernel's default, a reason. */
  readonly note?: string | undefined;
}
