import type { CheckResult } from "../../../testing/index.ts";
import { explain, isFailure } from "./explain.ts";

/**
 * Results as a file of JUnit's, which CI servers read: a suite for each half of an id before its slash. Advice that is
 * not followed is told as skipped.
 */
export function formatJunit(plugin: string, results: readonly CheckResult[]): string {
  const suites = new Map<string, CheckResult[]>();
  for (const result of results) suites.set(suiteOf(result), [...(suites.get(suiteOf(result)) ?? []), result]);
  const body = [...suites].flatMap(([suite, cases]) => [
    `  <testsuite name=${quote(`${plugin} ${suite}`)} ${counts(cases)}>`,
    ...cases.flatMap((result) => formatCase(`cleat.${suite}`, result)),
    "  </testsuite>",
  ]);
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<testsuites ${counts(results)}>`,
    ...body,
    "</testsuites>",
    "",
  ].join("\n");
}

function suiteOf({ id }: CheckResult): string {
  return id.split("/")[0] ?? id;
}

function counts(results: readonly CheckResult[]): string {
  const failures = results.filter(isFailure).length;
  const skipped = results.filter((result) => isSkipped(result)).length;
  const seconds = results.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000;
  return `tests="${results.length}" failures="${failures}" skipped="${skipped}" time="${seconds.toFixed(3)}"`;
}

function isSkipped(result: CheckResult): boolean {
  return result.outcome !== "passed" && !isFailure(result);
}

function formatCase(className: string, result: CheckResult): string[] {
  const { id, title, durationMs, outcome, reason, source = "", symptom = "" } = result;
  const seconds = (durationMs / 1000).toFixed(3);
  const head = `    <testcase classname=${quote(className)} name=${quote(`${id}: ${title}`)} time="${seconds}"`;
  if (outcome === "passed") return [`${head}/>`];
  const told = outcome === "skipped" ? (reason ?? "") : explain(result);
  if (!isFailure(result)) return [`${head}>`, `      <skipped message=${quote(told)}/>`, "    </testcase>"];
  const more = escape(`${symptom}\nSource: ${source}`);
  return [`${head}>`, `      <failure message=${quote(told)}>${more}</failure>`, "    </testcase>"];
}

function quote(text: string): string {
  return `"${escape(text)}"`;
}

/** What XML 1.0 has no way to write becomes U+FFFD. */
function escape(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\n", "&#10;");
}
