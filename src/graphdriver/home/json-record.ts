import { closeSync, constants, openSync, readFileSync } from "node:fs";
import type { z } from "zod";
import { isSystemError, SchemaError } from "../../errors/index.ts";

/**
 * Reads a small JSON file that a driver wrote; `undefined` where there is none. Whatever has taken its place, nothing is waited for.
 * @throws SchemaError (DATA_LOSS), with `subject`, when it is not what the schema says.
 */
export function readJsonRecord<T>(path: string, schema: z.ZodType<T>, subject: string): T | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const result = schema.safeParse(parseJson(text));
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path: at, message }) => ({ path: at.join("."), problem: message }));
  throw new SchemaError("DATA_LOSS", subject, issues);
}

function readIfThere(path: string): string | undefined {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return readFileSync(descriptor, "utf8");
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // which fits no schema
  }
}
