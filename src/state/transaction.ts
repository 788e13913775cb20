import { CleatError, SchemaError } from "../errors/index.ts";
import type { z } from "zod";
import type { DraftTable, DraftTables, Store, Table, Tables, TableSchemas } from "./store.ts";
import { isNestedTooDeep, type Json, maxNesting, type StoredChange } from "./stored-change.ts";
import { issuesOf, recordName, type TableState } from "./table-state.ts";

interface Draft {
  readonly table: DraftTable<unknown>;
  readonly changed: ReadonlyMap<string, { readonly value: unknown } | undefined>;
}

/** `Store.transact` over a state whose changes `commit` makes. */
export function transactOn<Schemas extends TableSchemas>(
  state: TableState,
  schemas: Schemas,
  commit: (change: StoredChange) => Promise<void>,
): Store<Schemas>["transact"] {
  return async (work) => {
    const drafts = new Map(Object.keys(schemas).map((name) => [name, createDraft(state.entries(name))]));
    const tables = Object.fromEntries([...drafts].map(([name, { table }]) => [name, table]));
    const result = work(tables as unknown as DraftTables<Schemas>);
    if (result instanceof Promise) {
      result.catch(() => {});
      throw new CleatError("INVALID_ARGUMENT", "what runs in a transaction may not be asynchronous");
    }
    const change = changeOf(drafts, schemas);
    if (change.put?.length || change.delete?.length) await commit(change);
    return result;
  };
}

export function createTables<Schemas extends TableSchemas>(
  state: TableState,
  schemas: Schemas,
  transact: Store<Schemas>["transact"],
): Tables<Schemas> {
  const createTable = (name: string): Table<unknown> => ({
    get size() {
      return state.entries(name).size;
    },
    get: (key) => state.entries(name).get(key),
    entries: () => state.entries(name).entries() as MapIterator<[string, unknown]>,
    put: (key, value) => transact((tables) => tableIn(tables, name).put(key, value)),
    delete: (key) => transact((tables) => tableIn(tables, name).delete(key)),
  });
  const tables = Object.fromEntries(Object.keys(schemas).map((name) => [name, createTable(name)]));
  return tables as unknown as Tables<Schemas>;
}

function tableIn(tables: object, name: string): DraftTable<unknown> {
  return (tables as Record<string, DraftTable<unknown>>)[name] as DraftTable<unknown>;
}

function createDraft(before: ReadonlyMap<string, unknown>): Draft {
  const changed = new Map<string, { readonly value: unknown } | undefined>();
  const get = (key: string) => (changed.has(key) ? changed.get(key)?.value : before.get(key));
  function* entries(): Generator<[string, unknown], undefined> {
    for (const key of new Set([...before.keys(), ...changed.keys()])) {
      const value = get(key);
      if (value !== undefined) yield [key, value];
    }
  }
  const table: DraftTable<unknown> = {
    get size() {
      return [...entries()].length;
    },
    get,
    entries,
    put: (key, value) => void changed.set(key, { value }),
    delete: (key) => void changed.set(key, undefined),
  };
  return { table, changed };
}

function changeOf(drafts: ReadonlyMap<string, Draft>, schemas: TableSchemas): StoredChange {
  const put: [string, string, Json][] = [];
  const gone: [string, string][] = [];
  for (const [name, { changed }] of drafts) {
    for (const [key, wanted] of changed) {
      if (wanted === undefined) gone.push([name, key]);
      else put.push([name, key, encode(schemas[name] as z.ZodType, name, key, wanted.value)]);
    }
  }
  return { ...(put.length > 0 && { put }), ...(gone.length > 0 && { delete: gone }) };
}

/** As it will be read again, or not at all: JSON drops what it cannot hold. */
function encode(schema: z.ZodType, table: string, key: string, value: unknown): Json {
  const subject = recordName(table, key);
  let kept: Json;
  try {
    const encoded = schema.safeEncode(value);
    if (!encoded.success) throw new SchemaError("INVALID_ARGUMENT", subject, issuesOf(encoded.error));
    kept = JSON.parse(JSON.stringify(encoded.data)) as Json;
  } catch (error) {
    if (error instanceof SchemaError) throw error;
    throw new CleatError("INVALID_ARGUMENT", `${subject} cannot be kept as JSON`, { cause: error });
  }
  if (!isNestedTooDeep(kept)) return kept;
  throw new CleatError("INVALID_ARGUMENT", `${subject} is nested deeper than ${maxNesting} levels`);
}
