import { isDeepStrictEqual } from "node:util";
import type { PlannedTable } from "./tables.ts";
import {
  formatHeader,
  formatPlannedTable,
  formatSetting,
  formatValue,
  isToml,
  lineOfTable,
  parseToml,
  type TomlTable,
  valueAt,
} from "./toml-text.ts";

/** What a file lacks of what it should hold. */
export interface Settled {
  /** Tables that can be added at its end. */
  readonly missing: readonly PlannedTable[];
  /** What is to be there in the end: all that is planned but for what its owner has in place of it. */
  readonly expected: readonly PlannedTable[];
  /** What only its owner can change, a sentence each. */
  readonly conflicts: readonly string[];
}

/**
 * Compares what a file holds with what it should. A table that is there already is never written a second time: what it
 * lacks is for its owner to write.
 * @throws FAILED_PRECONDITION when the file is not TOML.
 */
export function settleTables(planned: readonly PlannedTable[], text: string, subject: string): Settled {
  const held = parseToml(text, subject);
  const missing: PlannedTable[] = [];
  const conflicts: string[] = [];
  for (const table of planned) {
    const older = olderThatDiffers(held, table);
    if (older !== undefined) conflicts.push(explain(older, held, text, subject));
    if (older !== undefined || holdsTable(held, table) || isGivenOtherwise(held, table)) continue;
    const rest = withoutHeld(held, table);
    if (isToml(`${text}\n${formatPlannedTable(rest)}`)) missing.push(rest);
    else conflicts.push(explain(table, held, text, subject));
  }
  return { missing, expected: planned.filter((table) => !isGivenOtherwise(held, table)), conflicts };
}

/** Whether all that is planned is there. */
export function holdsTable(held: TomlTable, { path, entry, values }: PlannedTable): boolean {
  const found = valueAt(held, path);
  if (entry === undefined) return holds(found, values);
  return Array.isArray(found) && found.some((one) => holds(one, values));
}

function holds(found: unknown, values: PlannedTable["values"]): boolean {
  return Object.entries(values).every(([key, value]) => isDeepStrictEqual(valueAt(found, [key]), value));
}

/** A list that its owner has written holds what its owner wants in it. */
function isGivenOtherwise(held: TomlTable, { path, entry }: PlannedTable): boolean {
  return entry === "builtin" && valueAt(held, path) !== undefined;
}

/** The older table, with what it should say, where it says something else. */
function olderThatDiffers(held: TomlTable, { older, ...table }: PlannedTable): PlannedTable | undefined {
  if (older === undefined) return undefined;
  const differs = Object.entries(table.values).some(([key, value]) => {
    const found = valueAt(held, [...older, key]);
    return found !== undefined && !isDeepStrictEqual(found, value);
  });
  return differs ? { ...table, path: older } : undefined;
}

function withoutHeld(held: TomlTable, table: PlannedTable): PlannedTable {
  if (table.entry !== undefined) return table;
  const found = valueAt(held, table.path);
  const rest = Object.entries(table.values).filter(([key, value]) => !isDeepStrictEqual(valueAt(found, [key]), value));
  return { ...table, values: Object.fromEntries(rest) };
}

function explain(table: PlannedTable, held: TomlTable, text: string, subject: string): string {
  const { path, entry } = table;
  if (entry !== undefined)
    return (
      `${subject} has a list ${formatHeader(path, true)} in one line: add ${formatInline(table.values)} to it, and ` +
      "run this again"
    );
  if (valueAt(held, path) === undefined) return explainWithin(table, held, subject);
  const line = lineOfTable(text, path);
  const place = `${subject}${line === undefined ? "" : `, line ${line},`} has a table ${formatHeader(path)} already`;
  const lacks = Object.entries(withoutHeld(held, table).values);
  const settings = lacks.map(([key, value]) => {
    const found = valueAt(held, [...path, key]);
    const instead = found === undefined ? "" : ` instead of ${formatValue(found)}`;
    return `${formatSetting(key, value)}${instead}`;
  });
  return `${place}: write ${settings.join(" and ")} there, and run this again`;
}

/** `{ differ = "walking", snapshotter = "cleat" }` */
function formatInline(values: PlannedTable["values"]): string {
  return `{ ${Object.entries(values)
    .map(([key, value]) => formatSetting(key, value))
    .join(", ")} }`;
}

/** A table in one line, `{ … }`, can be added to by nobody but its owner. */
function explainWithin({ path }: PlannedTable, held: TomlTable, subject: string): string {
  const outer = path.slice(
    0,
    path.findLastIndex((_key, index) => valueAt(held, path.slice(0, index)) !== undefined),
  );
  return (
    `${subject} has a table ${formatHeader(outer)} in one line: write ${formatHeader(path)} into it, and run ` +
    "this again"
  );
}
