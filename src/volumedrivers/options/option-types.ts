/** Schemas of options: what a user's text means, and a sentence where it means nothing. */
import { z } from "zod";

const powers: Readonly<Record<string, number>> = { "": 0, k: 1, m: 2, g: 3, t: 4, p: 5 };
const sizePattern = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i;

/**
 * A size in bytes: "10g", "1.5 GiB", "65536"; units are of 1024, as engines have them. Source: docker/go-units v0.4.0
 * `RAMInBytes`.
 */
export function sizeOption() {
  return z.string().transform((text, context) => {
    const [, digits = "", unit = ""] = sizePattern.exec(text.trim()) ?? [];
    const sizeBytes = Math.floor(Number(digits) * 1024 ** (powers[unit.toLowerCase()] ?? 0));
    if (digits !== "" && sizeBytes > 0 && Number.isSafeInteger(sizeBytes)) return sizeBytes;
    context.addIssue({ code: "custom", message: 'takes a size above nothing, such as "10g" or "512m"' });
    return z.NEVER;
  });
}

/** Yes or no: "true", "1", "yes", or given with no value. */
export function flagOption() {
  return z
    .enum(["", "true", "1", "yes", "false", "0", "no"], { error: 'takes "true" or "false"' })
    .transform((text) => !["false", "0", "no"].includes(text));
}

/** An absolute path of the host. */
export function pathOption() {
  return z.string().regex(/^\/[^\0]*$/, { error: "takes an absolute path" });
}

export function textOption() {
  return z
    .string()
    .min(1, { error: "is empty" })
    .regex(/^[^\0\n]*$/, { error: "may hold neither a NUL nor a line break" });
}

/**
 * A text that is shown nowhere: not by `inspect`, in logs, or in errors. It is kept in the driver's records, which only
 * their owner can read, since a restarted machine mounts without being told it again.
 */
export function secretOption() {
  return textOption().meta({ secret: true });
}

/** Also where it is optional or has a default. */
export function isSecret(schema: z.ZodType): boolean {
  if (z.globalRegistry.get(schema)?.["secret"] === true) return true;
  const { innerType, in: input } = schema.def as { innerType?: z.ZodType; in?: z.ZodType };
  const inner = innerType ?? input;
  return inner !== undefined && isSecret(inner);
}
