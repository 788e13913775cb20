import { z } from "zod";
import type { JournalFormat } from "./journal/read-journal.ts";

export type Json = z.output<ReturnType<typeof z.json>>;

/** How deep a record may be nested: each step of what reads and writes it takes some of the stack. */
export const maxNesting = 1_000;

/** Of what JSON holds; costs no stack. */
export function isNestedTooDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxNesting) return true;
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  }
  return false;
}

/** What comes out of `JSON.parse`, which needs no look at each part. */
const json = z.custom<Json>((value) => value !== undefined && !isNestedTooDeep(value));

const storedChange = z.strictObject({
  /** Table, key, and the value as JSON holds it. */
  put: z.array(z.tuple([z.string(), z.string(), json])).optional(),
  delete: z.array(z.tuple([z.string(), z.string()])).optional(),
  /** The author's version of the records. */
  schema: z.int().positive().optional(),
});

/** What happens as one: all of it, or nothing. */
export type StoredChange = Readonly<z.output<typeof storedChange>>;

export const stateFormat: JournalFormat<StoredChange> = {
  name: "cleat-state",
  subject: "records",
  stored: storedChange,
  toStored: (change) => change,
};
