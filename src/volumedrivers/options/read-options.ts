import { CleatError, quoteText } from "../../errors/index.ts";
import { z } from "zod";
import type { OptionReading, OptionsOf, OptionTable } from "./option-table.ts";
import { isSecret } from "./option-types.ts";

/** What a user gave with `-o`. */
export type GivenOptions = Readonly<Record<string, string>>;

/**
 * What the options mean.
 * @throws INVALID_ARGUMENT about the first that is wrong, by its name and never with its value.
 */
export function readOptions<Table extends OptionTable>(
  { options: table, check }: OptionReading<Table>,
  given: GivenOptions,
): OptionsOf<Table> {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(table, name));
  if (unknown !== undefined) throw wrong(`${quoteText(unknown)} is unknown; ${listKnown(table)}`);
  const result = z.object(table).safeParse(given);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw wrong(describe(String(issue?.path[0] ?? ""), issue, table, given));
  }
  const options = result.data as OptionsOf<Table>;
  const problem = check?.(options);
  if (problem !== undefined) throw wrong(problem);
  return options;
}

/** The options without secrets, for everybody to see. */
export function showOptions(table: OptionTable, given: GivenOptions): Record<string, string> {
  const shown = Object.entries(given).map(([name, text]) => [name, isHidden(table, name) ? hidden : text]);
  return Object.fromEntries(shown) as Record<string, string>;
}

/** What may be in no message. */
export function secretsIn(table: OptionTable, given: GivenOptions): string[] {
  return Object.entries(given).flatMap(([name, text]) => (isHidden(table, name) && text !== "" ? [text] : []));
}

export const hidden = "***";

/** An option that is not known any more may have been a secret. */
function isHidden(table: OptionTable, name: string): boolean {
  const schema = Object.hasOwn(table, name) ? table[name] : undefined;
  return schema === undefined || isSecret(schema);
}

function describe(name: string, issue: z.core.$ZodIssue | undefined, table: OptionTable, given: GivenOptions): string {
  if (!Object.hasOwn(given, name)) return `"${name}" is needed`;
  if (isHidden(table, name)) return `"${name}" has a value that cannot be`;
  return `"${name}" ${issue?.code === "custom" || issue?.message ? issue.message : "has a value that cannot be"}`;
}

function listKnown(table: OptionTable): string {
  const names = Object.keys(table);
  return names.length > 0 ? `known are ${names.toSorted().join(", ")}` : "there are none";
}

function wrong(problem: string): CleatError {
  return new CleatError("INVALID_ARGUMENT", `option ${problem}`);
}
