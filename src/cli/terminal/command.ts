import type { Readable, Writable } from "node:stream";
import type { parseArgs, ParseArgsConfig } from "node:util";
import { CleatError } from "../../errors/index.ts";
import type { Outcome } from "./exit-codes.ts";

type ParseOption = NonNullable<ParseArgsConfig["options"]>[string];

/** An option as `node:util` parses it, with what `--help` shows. */
export interface CommandOption {
  readonly type: ParseOption["type"];
  readonly multiple?: boolean;
  readonly short?: string;
  /** What stands for the value in the help: "PATH". */
  readonly value?: string;
  readonly help: string;
}

export type CommandOptions = Readonly<Record<string, CommandOption>>;

type Values<O extends CommandOptions> = ReturnType<typeof parseArgs<{ options: { [K in keyof O]: O[K] } }>>["values"];

/** Where a command reads, writes and looks around. */
export interface CommandContext {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Results. */
  readonly stdout: Writable & { readonly isTTY?: boolean };
  /** Errors and logs. */
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  /** Which signals end a command that serves. */
  readonly closingSignals: readonly NodeJS.Signals[];
}

/** What tells of a command that is not loaded. */
export interface CommandRow {
  /** "serve graph" */
  readonly name: string;
  /** What follows the options: "NAME METHOD [JSON]". */
  readonly operands: string;
  readonly summary: string;
  load(): Promise<CommandBody>;
}

/** What a command's own file declares. */
export interface CommandBody {
  /** More for `--help`, in lines. */
  readonly details: readonly string[];
  /** More still, below the options, that takes loading what the command loads. */
  furtherHelp?(): Promise<readonly string[]>;
  readonly options: CommandOptions;
  run(values: Record<string, unknown>, operands: readonly string[], context: CommandContext): Promise<Outcome>;
}

/** A command that was loaded. */
export type Command = Omit<CommandRow, "load"> & CommandBody;

/** Declares what a command's file holds; `run` gets its options typed. */
export function defineCommand<const O extends CommandOptions>(
  command: Omit<CommandBody, "options" | "run"> & {
    readonly options: O;
    run(values: Values<O>, operands: readonly string[], context: CommandContext): Promise<Outcome>;
  },
): CommandBody {
  return command as unknown as CommandBody;
}

/** A command line that cannot be meant: ends with the exit code `usage`. */
export class UsageError extends CleatError {
  override readonly name = "UsageError";

  constructor(message: string) {
    super("INVALID_ARGUMENT", message);
  }
}

/** What `parse` refuses as INVALID_ARGUMENT came from the command line. */
export function orUsageError<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof CleatError && error.code === "INVALID_ARGUMENT") throw new UsageError(error.message);
    throw error;
  }
}
