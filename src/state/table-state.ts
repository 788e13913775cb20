import { CleatError, quoteText, SchemaError, type SchemaIssue } from "../errors/index.ts";
import type { z } from "zod";
import type { ChangeTarget } from "./journal/change-queue.ts";
import type { StoreOptions, TableSchemas } from "./store.ts";
import type { Json, StoredChange } from "./stored-change.ts";

/** All records of all tables: as they are now, and as the disk has them. */
export interface TableState extends ChangeTarget<StoredChange> {
  entries(table: string): ReadonlyMap<string, unknown>;
  /** While the journal is read: values are looked at in the end only, those that were overwritten never. */
  load(change: StoredChange): void;
  /** Returns whether records were brought to a later version, which is to be written then. */
  finishLoading(migrate: StoreOptions<TableSchemas>["migrate"]): boolean;
  closed(): CleatError;
}

/** How many records one line of a rewritten journal holds, and one turn of the event loop encodes. */
const recordsPerLine = 200;

export function createTableState(schemas: TableSchemas, version: number): TableState {
  const durable = new Map<string, Map<string, Json>>(Object.keys(schemas).map((name) => [name, new Map()]));
  const current = new Map<string, Map<string, unknown>>(Object.keys(schemas).map((name) => [name, new Map()]));
  let loadedVersion = version;

  const tableOf = <Value>(tables: Map<string, Map<string, Value>>, name: string): Map<string, Value> => {
    const table = tables.get(name);
    if (table !== undefined) return table;
    throw new CleatError(
      "FAILED_PRECONDITION",
      `records of a table ${quoteText(name)} are there, which nobody here knows`,
    );
  };
  const keep = ({ put = [], delete: gone = [] }: StoredChange) => {
    for (const [table, key] of gone) tableOf(durable, table).delete(key);
    for (const [table, key, stored] of put) tableOf(durable, table).set(key, stored);
  };
  const decode = (table: string, key: string, stored: unknown): unknown => {
    const decoded = safeDecode(schemas[table] as z.ZodType, table, key, stored);
    if (decoded.success) return freeze(decoded.data);
    throw new SchemaError("DATA_LOSS", recordName(table, key), issuesOf(decoded.error));
  };

  return {
    entries: (table) => tableOf(current, table),
    load(change) {
      keep(change);
      loadedVersion = change.schema ?? loadedVersion;
    },
    finishLoading(migrate) {
      if (loadedVersion > version) {
        const message = `records are of version ${loadedVersion}, and this program knows none above ${version}`;
        throw new CleatError("FAILED_PRECONDITION", message);
      }
      const isEarlier = loadedVersion < version;
      for (const [table, records] of durable) {
        for (const [key, value] of records) {
          const brought = isEarlier && migrate ? migrate({ table, key, value }, loadedVersion) : value;
          if (brought === undefined) records.delete(key);
          else {
            tableOf(current, table).set(key, decode(table, key, brought));
            records.set(key, brought as Json);
          }
        }
      }
      return isEarlier;
    },
    apply({ put = [], delete: gone = [] }) {
      const coming = put.map(([table, key, stored]) => [table, key, decode(table, key, stored)] as const);
      const before: (() => void)[] = [];
      const replace = (table: string, key: string, value: unknown) => {
        const records = tableOf(current, table);
        const [was, old] = [records.has(key), records.get(key)];
        before.push(() => void (was ? records.set(key, old) : records.delete(key)));
        if (value === undefined) records.delete(key);
        else records.set(key, value);
      };
      for (const [table, key] of gone) replace(table, key, undefined);
      for (const [table, key, value] of coming) replace(table, key, value);
      return () => before.toReversed().forEach((undo) => undo());
    },
    keep,
    checkpoint() {
      const all = [...durable].flatMap(([table, records]) =>
        Array.from(records, ([key, stored]): [string, string, Json] => [table, key, stored]),
      );
      const changes: StoredChange[] = [];
      for (let at = 0; at < all.length; at += recordsPerLine) changes.push({ put: all.slice(at, at + recordsPerLine) });
      return [...changes, { schema: version }];
    },
    lengthOf: ({ put = [], delete: gone = [] }) =>
      put.reduce((sum, [table, key, stored]) => sum + table.length + key.length + JSON.stringify(stored).length, 100) +
      gone.reduce((sum, [table, key]) => sum + table.length + key.length, 0),
    makesRoom: ({ put, delete: gone, schema }) => put === undefined && schema === undefined && gone !== undefined,
    closed: () => new CleatError("FAILED_PRECONDITION", "records are closed"),
  };
}

/** A codec of the schema's may throw anything. */
function safeDecode(schema: z.ZodType, table: string, key: string, stored: unknown): z.ZodSafeParseResult<unknown> {
  try {
    return schema.safeDecode(stored);
  } catch (error) {
    throw new CleatError("DATA_LOSS", `${recordName(table, key)} cannot be read`, { cause: error });
  }
}

export function recordName(table: string, key: string): string {
  return `record ${quoteText(key)} of table ${quoteText(table)}`;
}

/** Never with the value, which may be a secret. */
export function issuesOf({ issues }: z.ZodError): SchemaIssue[] {
  return issues.map(({ path, message }) => ({ path: path.join("."), problem: message }));
}

function freeze(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) value.forEach(freeze);
  else if (Object.getPrototypeOf(value) === Object.prototype) Object.values(value).forEach(freeze);
  else return value; // a Map or a Date would not mind being frozen
  return Object.freeze(value);
}
