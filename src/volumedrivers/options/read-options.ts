import { CleatError, quoteText } from "../../errors/index.ts";
import { z } from "zod";
import type { OptionReading, OptionsOf, OptionTable } from "./option-table.ts";
import { hideListed, listedSecrets } from "./mount-list.ts";
import { isSecret } from "./option-types.ts";

/** What a user gave with `-o`. */
export type GivenOptions = Readonly<Record<string, string>>;

/**
 * What the options mean.
 * @throws INVALID_ARGUMENT about the first that is wrong, by its name and never with its value.
 */
export function readOptions<Table extends OptionTable>(
  reading: OptionReading<Table>,
  given: GivenOptions,
): OptionsOf<Table> {
  const { options: table, check } = reading;
  const unknown = Object.keys(given).find((name) => schemaOf(reading, name) === undefined);
  if (unknown !== undefined) throw wrong(`${quoteText(unknown)} is unknown; ${listKnown(table)}`);
  const result = schemaOfAll(reading).safeParse(given);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw wrong(describe(String(issue?.path[0] ?? ""), issue, reading, given));
  }
  const options = result.data as OptionsOf<Table>;
  const problem = check?.(options);
  if (problem !== undefined) throw wrong(problem);
  return options;
}

const schemas = new WeakMap<OptionReading, z.ZodType>();

/** Made once for a driver: that takes as long as reading the options of some hundred volumes. */
function schemaOfAll(reading: OptionReading): z.ZodType {
  const known = schemas.get(reading);
  if (known !== undefined) return known;
  const made = z.object(reading.options).catchall(reading.others ?? z.never());
  schemas.set(reading, made);
  return made;
}

/** The options without secrets, for everybody to see. */
export function showOptions(reading: OptionReading, given: GivenOptions): Record<string, string> {
  const shown = Object.entries(given).map(([name, text]) => [
    name,
    isHidden(reading, name) ? hidden : hideListed(text, hidden),
  ]);
  return Object.fromEntries(shown) as Record<string, string>;
}

/** What may be in no message. */
export function secretsIn(reading: OptionReading, given: GivenOptions): string[] {
  return Object.entries(given).flatMap(([name, text]) =>
    isHidden(reading, name) ? [text].filter((whole) => whole !== "") : listedSecrets(text),
  );
}

export const hidden = "***";

/** An option that is not known any more may have been a secret. */
function isHidden(reading: OptionReading, name: string): boolean {
  const schema = schemaOf(reading, name);
  return schema === undefined || isSecret(schema);
}

function schemaOf({ options: table, others }: OptionReading, name: string): z.ZodType | undefined {
  return Object.hasOwn(table, name) ? table[name] : others;
}

function describe(
  name: string,
  issue: z.core.$ZodIssue | undefined,
  reading: OptionReading,
  given: GivenOptions,
): string {
  if (!Object.hasOwn(given, name)) return `"${name}" is needed`;
  if (isHidden(reading, name)) return `"${name}" has a value that cannot be`;
  return `"${name}" ${issue?.code === "custom" || issue?.message ? issue.message : "has a value that cannot be"}`;
}

function listKnown(table: OptionTable): string {
  const names = Object.keys(table);
  return names.length > 0 ? `known are ${names.toSorted().join(", ")}` : "there are none";
}

function wrong(problem: string): CleatError {
  return new CleatError("INVALID_ARGUMENT", `option ${problem}`);
}
