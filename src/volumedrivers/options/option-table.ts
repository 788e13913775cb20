import type { z } from "zod";

/** A schema for each option, of what its text means: `{ size: sizeOption().optional() }`. */
export type OptionTable = Readonly<Record<string, z.ZodType>>;

export type OptionsOf<Table extends OptionTable> = { readonly [Name in keyof Table]: z.output<Table[Name]> };

/** What users may give with `-o`, and what it means. */
export interface OptionReading<Table extends OptionTable = OptionTable> {
  /** A schema marked by `secretOption` is shown nowhere. */
  readonly options: Table;
  /**
   * A schema for options of any other name, of a driver that only hands them on; they stand in `options` beside those
   * that are known. Without it, any other name is refused.
   */
  readonly others?: z.ZodType;
  /** What no single schema sees: says what is wrong, beginning with an option's name in quotes, or nothing. */
  check?(options: OptionsOf<Table>): string | undefined;
}
