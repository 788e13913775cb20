import type { DescribedLayer } from "../../layerstore/index.ts";
import type { DiskUsage } from "../../layer/index.ts";
import { formatBytes } from "./format-bytes.ts";
import { shortId } from "./layer-tree.ts";
import type { StoreReport } from "./layers-report.ts";
import { describeState, describeTitle } from "./layers-table.ts";
import { printable } from "../terminal/printable.ts";
import { boxHeight, boxWidth, placeLayers, type PlacedLayer } from "./tree-layout.ts";

/** Plain colours for light and dark, as not every program that shows SVG knows variables. */
const style = `
  svg { background: #ffffff; }
  text { font: 12px ui-sans-serif, system-ui, sans-serif; fill: #1f2937; }
  .title { font-size: 15px; font-weight: 600; }
  .id { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, monospace; }
  .more { font-size: 11px; fill: #5b6472; }
  .line { fill: none; stroke: #9aa3b2; stroke-width: 1.5; }
  .box { stroke-width: 1; }
  .plain .box { fill: #f3f5f8; stroke: #c3cad5; }
  .image .box { fill: #e6effc; stroke: #9dbdee; }
  .container .box { fill: #efe9fb; stroke: #bfaaea; }
  .mounted .box { fill: #d9f5e3; stroke: #3fa368; }
  .orphaned .box { fill: #fde3e1; stroke: #d9574d; }
  .half-made .box { fill: #fff3d1; stroke: #c98a04; stroke-dasharray: 4 3; }
  @media (prefers-color-scheme: dark) {
    svg { background: #11151c; }
    text { fill: #e6e9ef; }
    .more { fill: #a3adbd; }
    .line { stroke: #5d6879; }
    .plain .box { fill: #1d232d; stroke: #46505f; }
    .image .box { fill: #17283f; stroke: #3c639b; }
    .container .box { fill: #2a2140; stroke: #6a53a3; }
    .mounted .box { fill: #123321; stroke: #3fa368; }
    .orphaned .box { fill: #3d1a18; stroke: #d9574d; }
    .half-made .box { fill: #382b0c; stroke: #c98a04; }
  }
`;

/** What a box tells by its colour, the most urgent first. */
const legend = {
  "half-made": "half-made",
  orphaned: "orphaned",
  mounted: "mounted",
  container: "container",
  image: "image",
  plain: "not known",
} as const;

type Look = keyof typeof legend;

function lookOf({ condition, orphaned, mounts, role }: DescribedLayer): Look {
  if (condition === "half-made" || condition === "unreadable" || condition === "misfit") return "half-made";
  if (orphaned !== undefined) return "orphaned";
  if (mounts.length > 0) return "mounted";
  if (role === "unknown") return "plain";
  return role === "image" ? "image" : "container";
}

const margin = 24;
const titleHeight = 34;
const legendHeight = 44;
/** As wide as a title's character is on average in DejaVu Sans, the widest of the fonts above. */
const titleCharacterWidth = 10;

/** The trees of stores as one SVG document, light or dark as its reader likes it. */
export function drawStores(reports: readonly StoreReport[]): string {
  const parts: string[] = [];
  let [width, y] = [Object.keys(legend).length * legendStep, margin + legendHeight];
  for (const { store, usage } of reports) {
    const layout = placeLayers(store.layers);
    const title = describeTitle(store);
    parts.push(text("title", margin, y + 15, title));
    parts.push(...layout.placed.map((placed) => drawLine(placed, y + titleHeight)));
    parts.push(...layout.placed.map((placed) => drawBox(placed, y + titleHeight, usage?.get(placed.layer.id))));
    width = Math.max(width, layout.width, title.length * titleCharacterWidth);
    y += titleHeight + layout.height + margin;
  }
  const size = `width="${Math.ceil(width + 2 * margin)}" height="${Math.ceil(y)}"`;
  const viewBox = `viewBox="0 0 ${Math.ceil(width + 2 * margin)} ${Math.ceil(y)}"`;
  const open = `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${viewBox} role="img" aria-label="layers">`;
  return [open, `<style>${style}</style>`, ...drawLegend(), ...parts, "</svg>", ""].join("\n");
}

const legendStep = 116;

function drawLegend(): string[] {
  return Object.entries(legend).map(([look, meaning], at) => {
    const x = margin + at * legendStep;
    const swatch = `<rect class="box" x="${x}" y="${margin}" width="22" height="16" rx="3"/>`;
    return `<g class="${look}">${swatch}${text("", x + 30, margin + 13, meaning)}</g>`;
  });
}

function drawLine({ x, y, from }: PlacedLayer, down: number): string {
  if (from === undefined) return "";
  const [startX, startY] = [from.x + margin + boxWidth, from.y + down + boxHeight / 2];
  const [endX, endY] = [x + margin, y + down + boxHeight / 2];
  const middle = (startX + endX) / 2;
  return `<path class="line" d="M${startX} ${startY}C${middle} ${startY} ${middle} ${endY} ${endX} ${endY}"/>`;
}

/** As wide as the box lets them be, in the fonts above. */
const maxIdCharacters = 18;
const maxMoreCharacters = 36;

function drawBox({ layer, x, y }: PlacedLayer, down: number, usage: DiskUsage | undefined): string {
  const [left, top] = [x + margin, y + down];
  const size = usage === undefined ? "" : formatBytes(usage.apparentBytes);
  const parts = [
    `<title>${escapeXml(describeWhole(layer, usage))}</title>`,
    `<rect class="box" x="${left}" y="${top + 1}" width="${boxWidth}" height="${boxHeight - 2}" rx="4"/>`,
    text("id", left + 9, top + 15, printable(shortId(layer.id), maxIdCharacters)),
    text("more", left + 9, top + 29, printable(describeShort(layer), maxMoreCharacters)),
    size === "" ? "" : text("more", left + boxWidth - 9, top + 15, size, "end"),
  ];
  return `<g class="${lookOf(layer)}">${parts.join("")}</g>`;
}

function describeShort(layer: DescribedLayer): string {
  const state = describeState(layer);
  const held = layer.mounts.length > 0 ? [`held ${layer.holds}×`] : [];
  const [name] = layer.names;
  return [...(name === undefined ? [] : [name]), ...held, ...(state === "-" ? [] : [state])].join(" · ");
}

function describeWhole(layer: DescribedLayer, usage: DiskUsage | undefined): string {
  const { id, parent, role, names, mounts } = layer;
  return [
    id,
    `on ${parent ?? "nothing"}`,
    `${role}, ${describeState(layer)}`,
    ...names,
    ...mounts.map(({ mountPoint }) => `mounted at ${mountPoint}`),
    ...(usage === undefined ? [] : [`${usage.apparentBytes} bytes, ${usage.allocatedBytes} on disk`]),
  ]
    .map((line) => printable(line, 400))
    .join("\n");
}

function text(className: string, x: number, y: number, content: string, anchor = "start"): string {
  const [named, end] = [className === "" ? "" : ` class="${className}"`, anchor === "end" ? ' text-anchor="end"' : ""];
  return `<text${named} x="${x}" y="${y}"${end}>${escapeXml(content)}</text>`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** What is printable may still be no character of XML. Source: XML 1.0, production 2. */
function escapeXml(content: string): string {
  return content.replace(/[&<>"]/g, (character) => entities[character] ?? "").replace(/[\uFFFE\uFFFF]/g, "\uFFFD");
}
