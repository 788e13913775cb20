/** One thing that a subject must do, as data: no test runner is needed to run it, and any can. */
export interface Check<Context> {
  /** Stable and unique, "apply/setuid": what `only` and `expectedFailures` name. */
  readonly id: string;
  /** A sentence about the subject, in the present tense. */
  readonly title: string;
  /** The issue, test or manual page that the check comes from. */
  readonly source?: string;
  /** What an engine's user sees where the subject falls short. */
  readonly symptom?: string;
  /** To fall short is no failure: no engine of today shows its users a difference. */
  readonly advice?: true;
  /** What it makes in the subject, and removes again: "volumes". Without it nothing is changed. */
  readonly makes?: string;
  /** Why the check means nothing for this subject, `undefined` when it does. Asks for capabilities, never for names. */
  readonly needs?: (context: Context) => string | undefined;
  /** Rejects when the subject falls short. */
  run(context: Context): Promise<void>;
}

/**
 * - `passed`: the subject does what the title says.
 * - `failed`: it does not (`error`), or it does although it was expected not to (`reason` is set, `error` is not).
 * - `skipped`: the check means nothing here (`reason`).
 * - `expected-failure`: it does not (`error`), and that was known (`reason`).
 */
export type CheckOutcome = "passed" | "failed" | "skipped" | "expected-failure";

export interface CheckResult extends Pick<Check<never>, "id" | "title" | "source" | "symptom" | "advice"> {
  readonly outcome: CheckOutcome;
  readonly reason?: string;
  readonly error?: unknown;
  readonly durationMs: number;
}
