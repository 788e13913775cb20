import { parseArgs, type ParseArgsConfig } from "node:util";
import { type Command, type CommandOption, UsageError } from "./command.ts";
import { findNearest } from "./nearest.ts";

/** What follows a command's name, as its declaration has it. */
export interface CommandLine {
  readonly asks: "help" | "version" | undefined;
  readonly values: Readonly<Record<string, string | boolean | string[]>>;
  readonly operands: readonly string[];
}

/** Options that every command has. */
const everywhere = {
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
} as const satisfies ParseArgsConfig["options"];

/** @throws UsageError when the command takes no such option, value or operand, or lacks one. */
export function readCommandLine(command: Command, args: readonly string[]): CommandLine {
  const config = { args: [...args], options: { ...command.options, ...everywhere }, allowPositionals: true } as const;
  // Not strictly: what is wrong is told here, in the words of the help.
  const { tokens } = parseArgs({ ...config, strict: false, tokens: true });
  const names = tokens.flatMap((token) => (token.kind === "option" ? [token.name] : []));
  const asks = (["help", "version"] as const).find((name) => names.includes(name));
  if (asks !== undefined) return { asks, values: {}, operands: [] };

  const values: Record<string, string | boolean | string[]> = {};
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue, index } = token;
    const option = Object.hasOwn(command.options, name) ? command.options[name] : undefined;
    if (option === undefined)
      throw unknownOption(command, rawName.startsWith("--") ? rawName : (args[index] ?? rawName));
    const read = option.type === "boolean" ? readFlag(rawName, value) : readValue(option, rawName, value, inlineValue);
    if (option.multiple === true) values[name] = [...((values[name] as string[] | undefined) ?? []), String(read)];
    else values[name] = read;
  }
  assertOperands(command, operands);
  return { asks, values, operands };
}

function readFlag(flag: string, value: string | undefined): true {
  if (value !== undefined) throw new UsageError(`${flag} takes no value, and got ${quote(value)}`);
  return true;
}

function readValue(option: CommandOption, flag: string, value: string | undefined, isInline = true): string {
  const takes = `${flag} takes ${option.value ?? "a value"}`;
  if (value === undefined) throw new UsageError(`${takes}; nothing follows it`);
  // "-1" is a number, and refused where that is none; "--json" is what follows a value that was forgotten.
  if (isInline || !/^-[^\d.]/.test(value)) return value;
  throw new UsageError(
    `${takes}, and ${quote(value)} looks like an option; if it is the value: ${flag}=${shorten(value)}`,
  );
}

function unknownOption({ name, options }: Command, flag: string): UsageError {
  const known = [...Object.keys(options), ...Object.keys(everywhere)].map((option) => `--${option}`);
  return new UsageError(`${name} has no option ${quote(flag)}${suggest(findNearest(flag, known))}`);
}

/** Those that are declared, "NAME METHOD [JSON]", and no more. */
function assertOperands({ name, operands: declared }: Command, operands: readonly string[]): void {
  const all = declared === "" ? [] : declared.split(" ");
  const missing = all.filter((operand) => !operand.startsWith("["))[operands.length];
  if (missing !== undefined) throw new UsageError(`${name} takes ${declared}; ${missing} is missing`);
  const extra = operands.slice(all.length);
  if (extra.length === 0) return;
  const takes = all.length === 0 ? `${name} takes no operand` : `${name} takes ${declared} and nothing more`;
  throw new UsageError(`${takes}, not ${extra.slice(0, 3).map(quote).join(" ")}${extra.length > 3 ? " …" : ""}`);
}

/** "; did you mean --json?" */
export function suggest(word: string | undefined): string {
  return word === undefined ? "" : `; did you mean ${word}?`;
}

/** A word of the command line, in a sentence. */
export function quote(text: string): string {
  return `"${shorten(text)}"`;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
