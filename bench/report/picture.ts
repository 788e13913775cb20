import { isRate, type Measurement, ratioOf } from "../measuring/measure.ts";
import type { Table } from "./table.ts";

const rowHeight = 20;
const [labelWidth, barsWidth, margin] = [430, 300, 16];
const width = labelWidth + barsWidth + 4 * margin;
/** Longer bars are cut here. */
const maxRatio = 2.5;

/** The ratios as bars, as an SVG: what is left of the line is less than the other takes. */
export function drawTable({ machine, rows }: Table): string {
  const shown = rows.flatMap((row) => {
    const ratio = ratioOf(row);
    return ratio === undefined ? [] : [{ row, ratio: isRate(row) ? 1 / ratio : ratio }];
  });
  const height = (shown.length + 3) * rowHeight;
  const one = xOf(1);
  const font = `font-family="sans-serif" font-size="12"`;
  const title = "Cleat beside what it replaces (line), less is better";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ${font}>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${margin}" y="${rowHeight}">${title}: ${escape(machine)}</text>`,
    ...shown.map(({ row, ratio }, at) => drawRow(row, ratio, (at + 2) * rowHeight)),
    `<line x1="${one}" x2="${one}" y1="${1.5 * rowHeight}" y2="${height - rowHeight / 2}" stroke="#333"/>`,
    "</svg>",
    "",
  ].join("\n");
}

function drawRow({ name, reference }: Measurement, ratio: number, top: number): string {
  const [from, to, base] = [xOf(0), xOf(Math.min(ratio, maxRatio)), top + rowHeight - 6];
  const color = ratio <= 1 ? "#2a7f62" : "#c0703a";
  return [
    `<text x="${labelWidth}" y="${base}" text-anchor="end">${escape(`${name} / ${reference?.name}`)}</text>`,
    `<rect x="${from}" y="${top + 3}" width="${(to - from).toFixed(1)}" height="${rowHeight - 6}" fill="${color}"/>`,
    `<text x="${(to + 4).toFixed(1)}" y="${base}">${ratio.toFixed(2)}</text>`,
  ].join("");
}

function xOf(ratio: number): number {
  return labelWidth + margin + (ratio / maxRatio) * barsWidth;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
