import { SchemaError } from "../../../errors/index.ts";
import { readIfThere } from "./read-if-there.ts";

/** What zod's schemas are, and what a worker can have without loading zod, which takes 6 MB of each thread. */
export interface RecordSchema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: { issues: readonly RecordIssue[] } };
}

/** A schema without zod, for what workers load: each field, and whether a value is right for it. */
export function defineRecord<T>(fields: Readonly<Record<keyof T, (value: unknown) => boolean>>): RecordSchema<T> {
  const refuse = (names: readonly string[]) => {
    const issues = names.map((name) => ({ path: [name], message: "is not as a record of version 1 has it" }));
    return { success: false as const, error: { issues } };
  };
  return {
    safeParse(value) {
      if (typeof value !== "object" || value === null) return refuse(Object.keys(fields));
      const names = Object.keys(fields) as (keyof T & string)[];
      const wrong = names.filter((name) => !fields[name]((value as T)[name]));
      return wrong.length === 0 ? { success: true, data: value as T } : refuse(wrong);
    },
  };
}

interface RecordIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/**
 * Reads a small JSON file that a driver or its plugin wrote; `undefined` where there is none.
 * @throws SchemaError (DATA_LOSS), about `subject`, when it is not what the schema says, or no file.
 */
export function readJsonRecord<T>(path: string, schema: RecordSchema<T>, subject: string): T | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  // A value of its own would be told of by what the schema wants of it.
  if (text === "") throw unreadable(subject, "it is empty, or is no file of text");
  return parseRecord(parseJson(text, subject), schema, subject);
}

/** @throws SchemaError (DATA_LOSS), about `subject`, when the value is not what the schema says. */
export function parseRecord<T>(value: unknown, schema: RecordSchema<T>, subject: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => ({ path: path.join("."), problem: message }));
  throw new SchemaError("DATA_LOSS", subject, issues);
}

function parseJson(text: string, subject: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable(subject, "it is no JSON");
  }
}

function unreadable(subject: string, problem: string): SchemaError {
  return new SchemaError("DATA_LOSS", subject, [{ path: "", problem }]);
}
