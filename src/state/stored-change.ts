import { z } from "zod";
import type { JournalFormat } from "./journal/read-journal.ts";

const storedChange = z.strictObject({
  /** Table, key, and the value as JSON holds it. */
  put: z.array(z.tuple([z.string(), z.string(), z.json()])).optional(),
  delete: z.array(z.tuple([z.string(), z.string()])).optional(),
  /** The author's version of the records. */
  schema: z.int().positive().optional(),
});

/** What happens as one: all of it, or nothing. */
export type StoredChange = Readonly<z.output<typeof storedChange>>;
export type Json = z.output<ReturnType<typeof z.json>>;

export const stateFormat: JournalFormat<StoredChange> = {
  name: "cleat-state",
  subject: "records",
  stored: storedChange,
  toStored: (change) => change,
};
