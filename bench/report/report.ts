import { isOverLimit, misses, type Measurement, ratioOf } from "../measuring/measure.ts";
import type { Table } from "./table.ts";

/** A table in Markdown, its columns as wide as what stands in them, under a line that names the machine. */
export function formatMarkdown({ machine, rows }: Table): string {
  const cells = [["", "Cleat", "beside it", "ratio", "to reach"], ...rows.map(formatRow)];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const [head, ...body] = cells.map((row) => `| ${row.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`);
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [`On ${machine}:`, "", head, rule, ...body].join("\n");
}

function formatRow(row: Measurement): readonly string[] {
  const { name, unit, cleat, reference } = row;
  return [
    name,
    `${formatNumber(cleat)} ${unit}`,
    reference === undefined ? "" : `${formatNumber(reference.value)} ${unit}, ${reference.name}`,
    ratioOf(row)?.toFixed(2) ?? "",
    formatAim(row),
  ];
}

/** What is aimed at, and by how much that is missed. */
function formatAim(row: Measurement): string {
  const { limit, goal } = row;
  if (isOverLimit(row)) return `${formatLimit(row)} EXCEEDED`;
  if (goal === undefined) return limit === undefined ? "" : formatLimit(row);
  return misses(row) ? `${goal}, missed by ${((ratioOf(row) ?? 0) - goal).toFixed(2)}` : String(goal);
}

function formatLimit({ limit }: Measurement): string {
  if (limit === undefined) return "";
  return "max" in limit ? `${limit.max}` : `${limit.maxRatio} times`;
}

function formatNumber(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });
}

export function formatJson({ machine, rows }: Table): string {
  const shown = rows.map((row) => ({
    ...row,
    ratio: ratioOf(row),
    overLimit: isOverLimit(row),
    missesGoal: misses(row),
  }));
  return JSON.stringify({ machine, rows: shown }, undefined, 2);
}
