import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { isRate, type Measurement, ratioOf } from "../measuring/measure.ts";
import { drawTable } from "./picture.ts";
import { formatMarkdown } from "./report.ts";

/** What was measured, and where. */
export interface Table {
  readonly machine: string;
  readonly rows: readonly Measurement[];
}

/** The committed one, its picture, and the page that shows it between two comments. */
const files = { table: "bench/table.json", picture: "docs/speed.svg", page: "docs/speed.md" } as const;
const [begin, end] = ["<!-- table: npm run bench -- --save -->", "<!-- end of the table -->"];

export function readTable(): Table | undefined {
  return existsSync(files.table) ? (JSON.parse(readFileSync(files.table, "utf8")) as Table) : undefined;
}

/** Puts what was measured in the place of rows of the same names; those of parts that did not run stay. */
export function saveTable({ machine, rows }: Table): void {
  const measured = new Map(rows.map((row) => [row.name, row]));
  const kept = readTable()?.rows ?? [];
  const known = new Set(kept.map(({ name }) => name));
  const all = [...kept.map((row) => measured.get(row.name) ?? row), ...rows.filter(({ name }) => !known.has(name))];
  const table: Table = { machine, rows: all };
  writeFileSync(files.table, `${JSON.stringify(table, undefined, 2)}\n`);
  writeFileSync(files.picture, drawTable(table));
  const page = readFileSync(files.page, "utf8");
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${files.page} lacks the comments that the table stands between`);
  writeFileSync(files.page, `${page.slice(0, from + begin.length)}\n\n${formatMarkdown(table)}\n\n${page.slice(to)}`);
}

const allowedShare = 0.1;

/** What has become worse by more than a tenth beside what it is compared with, as sentences. */
export function findRegressions(rows: readonly Measurement[], committed: Table): readonly string[] {
  const before = new Map(committed.rows.map((row) => [row.name, figureOf(row)]));
  return rows.flatMap((row) => {
    const [was, is] = [before.get(row.name), figureOf(row)];
    if (was === undefined) return [];
    const worse = isRate(row) ? was / is : is / was;
    return worse > 1 + allowedShare ? [`${row.name}: ${is.toFixed(2)}, and was ${was.toFixed(2)}`] : [];
  });
}

function figureOf(row: Measurement): number {
  return ratioOf(row) ?? row.cleat;
}
