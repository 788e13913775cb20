import type { z } from "zod";
import { SchemaError } from "../../errors/index.ts";
import { readIfThere } from "./read-if-there.ts";

/**
 * Reads a small JSON file that a driver wrote; `undefined` where there is none.
 * @throws SchemaError (DATA_LOSS), about `subject`, when it is not what the schema says, or no file.
 */
export function readJsonRecord<T>(path: string, schema: z.ZodType<T>, subject: string): T | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const result = schema.safeParse(parseJson(text));
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path: at, message }) => ({ path: at.join("."), problem: message }));
  throw new SchemaError("DATA_LOSS", subject, issues);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // which fits no schema
  }
}
