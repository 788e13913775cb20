import { toCleatError } from "../../../errors/index.ts";
import type { CheckResult } from "../../../testing/index.ts";

/** Why a check failed, in a sentence. */
export function explain({ error, reason }: CheckResult): string {
  if (error === undefined) return reason ?? "failed";
  return sentenceOf(error);
}

function sentenceOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(sentenceOf).join("; ");
  // An assertion shows what differs over several lines.
  const { message } = error instanceof Error ? error : toCleatError(error);
  return message.replaceAll(/\s*\n\s*/g, " ").trim();
}

/** Whether it is a failure of the plugin: advice is none, nor what is expected. */
export function isFailure({ outcome, advice }: CheckResult): boolean {
  return outcome === "failed" && advice !== true;
}
