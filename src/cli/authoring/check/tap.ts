import type { CheckResult } from "../../../testing/index.ts";
import { explain, isFailure } from "./explain.ts";
import { printable, printableJson } from "../../terminal/printable.ts";

/** Results as the Test Anything Protocol has them. Source: testanything.org, TAP 13, which all harnesses read. */
export function tapHead(count: number, comments: readonly string[]): string {
  return ["TAP version 13", `1..${count}`, ...comments.map((comment) => `# ${printable(comment, 400)}`), ""].join("\n");
}

/** The lines of one result, the `number`th. Advice, and what is expected to fail, is TODO: it is no failure. */
export function tapResult(number: number, result: CheckResult): string {
  const { id, title, outcome, reason = "", source, symptom, durationMs } = result;
  const line = `${number} - ${escape(`${id}: ${title}`)}`;
  if (outcome === "passed") return `ok ${line}\n`;
  if (outcome === "skipped") return `ok ${line} # SKIP ${escape(reason)}\n`;
  const todo = outcome === "expected-failure" ? reason : result.advice === true ? "advice" : undefined;
  const fields = { message: explain(result), seen_by_users: symptom, source, duration_ms: durationMs };
  const lines = Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : [`  ${key}: ${printableJson(value)}`],
  );
  const directive = todo === undefined ? "" : ` # TODO ${escape(todo)}`;
  return [`not ok ${line}${directive}`, "  ---", ...lines, "  ...", ""].join("\n");
}

/** The last line, a comment: how many of each outcome. */
export function tapSummary(results: readonly CheckResult[]): string {
  const count = (wanted: (result: CheckResult) => boolean) => results.filter(wanted).length;
  const countOf = (outcome: CheckResult["outcome"]) => count((result) => result.outcome === outcome);
  const parts = {
    passed: countOf("passed"),
    failed: count(isFailure),
    advice: count(({ outcome, advice }) => outcome === "failed" && advice === true),
    known: countOf("expected-failure"),
    skipped: countOf("skipped"),
  };
  const told = Object.entries(parts).map(([name, number]) => `${name} ${number}`);
  return `# ${told.join(", ")}\n`;
}

function escape(text: string): string {
  return printable(text, 400).replaceAll("\\", "\\\\").replaceAll("#", "\\#");
}
