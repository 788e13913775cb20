import { setTimeout as delay } from "node:timers/promises";
import { CleatError } from "../errors/index.ts";
import type { Check, CheckResult } from "./check.ts";

export interface RunChecksOptions<Context extends AsyncDisposable> {
  readonly checks: readonly Check<Context>[];
  /** Called for each check; disposing the context may fail the check too, which is how leftovers are found. */
  openContext(check: Check<Context>): Promise<Context>;
  /** Ids of the checks to run; default all. */
  readonly only?: readonly string[] | undefined;
  /** Ids of checks that are known to fail, each with the reason. One that passes all the same fails as stale. */
  readonly expectedFailures?: Readonly<Record<string, string>> | undefined;
  /** How long one check may take; default 60 s. A subject that never answers fails its check, not the run. */
  readonly timeoutMs?: number | undefined;
  /** Told each result as it comes. */
  onResult?(result: CheckResult): void;
}

/**
 * Runs checks one after another.
 * @throws INVALID_ARGUMENT when `only` or `expectedFailures` name a check that there is not.
 */
export async function runChecks<Context extends AsyncDisposable>(
  options: RunChecksOptions<Context>,
): Promise<readonly CheckResult[]> {
  const { checks, only, expectedFailures = {}, onResult } = options;
  assertKnown(checks, [...(only ?? []), ...Object.keys(expectedFailures)]);
  const results: CheckResult[] = [];
  for (const check of checks) {
    if (only !== undefined && !only.includes(check.id)) continue;
    const startedMs = performance.now();
    const verdict = judge(await attempt(check, options), expectedFailures[check.id]);
    const durationMs = Math.round(performance.now() - startedMs);
    const result = { ...factsOf(check), ...verdict, durationMs };
    results.push(result);
    onResult?.(result);
  }
  return results;
}

function factsOf({ id, title, source, symptom, advice }: Check<never>) {
  return {
    id,
    title,
    ...(source !== undefined && { source }),
    ...(symptom !== undefined && { symptom }),
    ...(advice !== undefined && { advice }),
  };
}

function assertKnown(checks: readonly { readonly id: string }[], ids: readonly string[]): void {
  const known = new Set(checks.map(({ id }) => id));
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) throw new CleatError("INVALID_ARGUMENT", `there is no check "${unknown.join('", "')}"`);
}

type Attempt = { readonly skip: string } | { readonly errors: readonly unknown[] };
type Verdict = Pick<CheckResult, "outcome" | "reason" | "error">;

function judge(tried: Attempt, expectedFailure: string | undefined): Verdict {
  if ("skip" in tried) return { outcome: "skipped", reason: tried.skip };
  const [error, ...others] = tried.errors;
  if (error === undefined) {
    if (expectedFailure === undefined) return { outcome: "passed" };
    return { outcome: "failed", reason: `passes now, so it is stale among the expected failures: ${expectedFailure}` };
  }
  const joined = others.length > 0 ? new AggregateError(tried.errors, String(error)) : error;
  if (expectedFailure === undefined) return { outcome: "failed", error: joined };
  return { outcome: "expected-failure", reason: expectedFailure, error: joined };
}

async function attempt<Context extends AsyncDisposable>(
  check: Check<Context>,
  { openContext, timeoutMs = 60_000 }: RunChecksOptions<Context>,
): Promise<Attempt> {
  const errors: unknown[] = [];
  const step = async (work: () => Promise<void>): Promise<void> => {
    await within(timeoutMs, work).catch(
      (error: unknown) => void errors.push(error ?? new Error("rejected with nothing")),
    );
  };
  let context: Context | undefined;
  let skip: string | undefined;
  let isOver = false;
  await step(async () => {
    const opened = await openContext(check);
    if (isOver) return opened[Symbol.asyncDispose](); // nobody waits for it any more: the next check runs
    context = opened;
    skip = check.needs?.(context);
    if (skip === undefined) await check.run(context);
  });
  isOver = true;
  await step(async () => context?.[Symbol.asyncDispose]());
  return skip === undefined || errors.length > 0 ? { errors } : { skip };
}

async function within(timeoutMs: number, work: () => Promise<void>): Promise<void> {
  const timer = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: timer.signal }).then(() => {
    throw new CleatError("DEADLINE_EXCEEDED", `check has not ended within ${timeoutMs} ms`);
  });
  try {
    await Promise.race([work(), late]);
  } finally {
    timer.abort();
    late.catch(() => {});
  }
}
