import { isOverLimit, ratioOf, type Limit, type Measurement } from "./measure.ts";

export function formatTable(measurements: readonly Measurement[]): string {
  const rows = measurements.map((measurement) => [
    measurement.name,
    `${measurement.cleat.toFixed(0)} ${measurement.unit}`,
    measurement.reference ? `${measurement.reference.value.toFixed(0)} ${measurement.unit}` : "",
    measurement.reference?.name ?? "",
    ratioOf(measurement)?.toFixed(2) ?? "",
    measurement.limit ? `${formatLimit(measurement.limit)}${isOverLimit(measurement) ? " EXCEEDED" : ""}` : "",
  ]);
  const table = [["", "Cleat", "other", "which", "ratio", "limit"], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function formatJson(measurements: readonly Measurement[]): string {
  const rows = measurements.map((row) => ({ ...row, ratio: ratioOf(row), overLimit: isOverLimit(row) }));
  return JSON.stringify(rows, undefined, 2);
}

function formatLimit(limit: Limit): string {
  return "max" in limit ? `${limit.max}` : `${limit.maxRatio} times`;
}
