/** What was found about an engine, a sentence each. */
export interface EngineFinding {
  readonly subject: string;
  /** `off`: it is not set up for Cleat, which may be as it should be. */
  readonly state: "right" | "wrong" | "off";
  readonly text: string;
}

/** An engine that is on this machine. */
export interface EngineReport {
  /** "containerd", "Docker" */
  readonly engine: string;
  /** Which it is, where it is configured, and whether it runs. */
  readonly what: string;
  readonly findings: readonly EngineFinding[];
}

export const right = (subject: string, text: string): EngineFinding => ({ subject, state: "right", text });
export const wrong = (subject: string, text: string): EngineFinding => ({ subject, state: "wrong", text });
export const off = (subject: string, text: string): EngineFinding => ({ subject, state: "off", text });
