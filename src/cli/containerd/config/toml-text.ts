import { parse, type TomlTable, TomlError } from "smol-toml";
import { CleatError } from "../../../errors/index.ts";
import type { ConfigValue, PlannedTable } from "./tables.ts";

export type { TomlTable } from "smol-toml";

/** @throws FAILED_PRECONDITION when it is not TOML. */
export function parseToml(text: string, subject: string): TomlTable {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ""] = error.message.replace("Invalid TOML document: ", "").split("\n");
    throw new CleatError("FAILED_PRECONDITION", `${subject} is not TOML: line ${error.line}: ${what}`, {
      cause: error,
    });
  }
}

/** Whether the text is TOML. */
export function isToml(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch (error) {
    if (error instanceof TomlError) return false;
    throw error;
  }
}

/** A table as it stands in a file, with its note above it. */
export function formatPlannedTable({ path, entry, values, note }: PlannedTable): string {
  const header = formatHeader(path, entry !== undefined);
  const lines = Object.entries(values).map(([key, value]) => formatSetting(key, value));
  return [`# ${note}`, header, ...lines, ""].join("\n");
}

export function formatHeader(path: readonly string[], isEntry = false): string {
  const name = path.map(formatKey).join(".");
  return isEntry ? `[[${name}]]` : `[${name}]`;
}

/** `snapshotter = "cleat"` */
export function formatSetting(key: string, value: ConfigValue): string {
  return `${formatKey(key)} = ${formatValue(value)}`;
}

export function formatValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatValue).join(", ")}]`;
  // A string of JSON is one of TOML, but for the one control character that JSON does not escape.
  return JSON.stringify(value).replaceAll("\u007f", String.raw`\u007f`);
}

function formatKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : formatValue(key);
}

/** The line, from 1, where a table is opened; `undefined` where no line opens it by that name alone. */
export function lineOfTable(text: string, path: readonly string[]): number | undefined {
  const wanted = JSON.stringify(path);
  const index = text.split(/\r?\n/).findIndex((line) => JSON.stringify(headerPath(line)) === wanted);
  return index < 0 ? undefined : index + 1;
}

function headerPath(line: string): string[] | undefined {
  if (!/^\s*\[[^[]/.test(line) || !isToml(line)) return undefined;
  const path: string[] = [];
  let table: unknown = parse(line);
  while (typeof table === "object" && table !== null) {
    const [key] = Object.keys(table);
    if (key === undefined) break;
    path.push(key);
    table = (table as TomlTable)[key];
  }
  return path;
}

/** What stands at a path; `undefined` where nothing does. */
export function valueAt(table: unknown, path: readonly string[]): unknown {
  let value: unknown = table;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as TomlTable)[key];
  }
  return value;
}
