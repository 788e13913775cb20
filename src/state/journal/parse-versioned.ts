import type { z } from "zod";
import { CleatError } from "../../errors/index.ts";

/**
 * What a small file beside the records holds, which says `"version": 1` of itself.
 * @throws FAILED_PRECONDITION when a later version has written it, and else what JSON or the schema says against it.
 */
export function parseVersioned<T>(text: string, schema: z.ZodType<T>, path: string): T {
  const value = JSON.parse(text) as { readonly version?: unknown } | null;
  const version = value?.version;
  if (typeof version !== "number" || version === 1) return schema.parse(value);
  throw new CleatError("FAILED_PRECONDITION", `"${path}" is of version ${version}, which a later Cleat has written`);
}
