import { PluginNotFoundError, RemoteError, TransportError, withSubject } from "../errors/index.ts";
import { commands } from "./commands.ts";
import { assertText } from "./terminal/assert-text.ts";
import { type Command, type CommandContext, type CommandRow, UsageError } from "./terminal/command.ts";
import { quote, readCommandLine, suggest } from "./terminal/command-line.ts";
import { exitCodes, type Outcome } from "./terminal/exit-codes.ts";
import { formatFailure } from "./terminal/format-failure.ts";
import { formatHelp, formatOverview } from "./terminal/help.ts";
import { isForbidden } from "./terminal/is-forbidden.ts";
import { findNearest } from "./terminal/nearest.ts";
import { watchOutput } from "./terminal/output.ts";
import { readVersion } from "./terminal/version.ts";

/**
 * Runs a command line (without "node cleat") and returns the exit code, when all that was printed has got out: the
 * process may end then. Never rejects.
 */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const { stdout, stderr } = context;
  const output = watchOutput(stdout);
  const errors = watchOutput(stderr); // when that fails there is nobody left to tell
  let { outcome, failure } = await attempt(argv, context);
  const lost = await output.flush();
  if (lost !== undefined) [outcome, failure] = ["failed", withSubject(lost, "stdout")];
  if (failure !== undefined) stderr.write(formatFailure(failure));
  if (failure instanceof UsageError) stderr.write(`See "${helpFor(argv)}".\n`);
  if (context.uid !== 0 && isForbidden(failure)) stderr.write("Try it as root.\n");
  await errors.flush();
  return exitCodes[outcome].code;
}

async function attempt(
  argv: readonly string[],
  context: CommandContext,
): Promise<{ outcome: Outcome; failure?: unknown }> {
  try {
    return { outcome: await dispatch(argv, context) };
  } catch (failure) {
    return { outcome: outcomeOf(failure), failure };
  }
}

async function dispatch(argv: readonly string[], context: CommandContext): Promise<Outcome> {
  const { stdout } = context;
  assertText(argv);
  const row = findCommand(argv);
  if (row === undefined) {
    stdout.write(await answerWithoutCommand(argv));
    return "done";
  }
  const command = await loadCommand(row);
  const { asks, values, operands } = readCommandLine(command, argv.slice(command.name.split(" ").length));
  if (asks === undefined) return command.run(values, operands, context);
  stdout.write(asks === "help" ? await formatHelp(command) : `${readVersion()}\n`);
  return "done";
}

async function loadCommand({ load, ...row }: CommandRow): Promise<Command> {
  return { ...row, ...(await load()) };
}

function findCommand(argv: readonly string[]): CommandRow | undefined {
  return commands.find(({ name }) => name.split(" ").every((word, index) => argv[index] === word));
}

/** Help, of everything or of what is named, or the version. */
async function answerWithoutCommand(argv: readonly string[]): Promise<string> {
  const [first = "help", ...rest] = argv;
  if (["--version", "-V"].includes(first)) return `${readVersion()}\n`;
  const asked = ["help", "--help", "-h"];
  const words = (asked.includes(first) ? rest : argv).filter((word) => !asked.includes(word));
  if (words[0]?.startsWith("-") === true) throw misplacedOption(words[0]);
  const isAsked = argv.length === 0 || argv.some((word) => asked.includes(word));
  const command = findCommand(words);
  if (command !== undefined) return formatHelp(await loadCommand(command));
  const option = words.findIndex((word) => word.startsWith("-"));
  const prefix = words
    .slice(0, option < 0 ? undefined : option)
    .map((word) => `${word} `)
    .join("");
  if (!commands.some(({ name }) => `${name} `.startsWith(prefix))) throw unknownCommand(words);
  if (!isAsked) throw new UsageError(`${quote(prefix.trimEnd())} needs one more word: ${nextWords(prefix)}`);
  return formatOverview(commands, prefix);
}

function misplacedOption(option: string): UsageError {
  const meant = findNearest(option, ["--help", "--version"]);
  if (meant !== undefined) return new UsageError(`there is no option ${quote(option)}${suggest(meant)}`);
  return new UsageError(`option ${quote(option)} stands before the command that it is meant for`);
}

function unknownCommand(words: readonly string[]): UsageError {
  const isBegun = commands.some(({ name }) => name.startsWith(`${words[0]} `));
  const shown = words.slice(0, isBegun ? 2 : 1).join(" ");
  const names = commands.map(({ name }) => name);
  const meant =
    findNearest(words.slice(0, 2).join(" "), names) ?? findNearest(shown, names) ?? commandEndingIn(words[0]);
  const option = findNearest(`--${shown}`, ["--help", "--version"]);
  return new UsageError(`there is no command ${quote(shown)}${suggest(meant === undefined ? option : `"${meant}"`)}`);
}

/** "graph" is half of "serve graph". */
function commandEndingIn(word = ""): string | undefined {
  return commands.find(({ name }) => name.endsWith(` ${word}`))?.name;
}

function nextWords(prefix: string): string {
  const matching = commands.filter(({ name }) => name.startsWith(prefix));
  return matching.map(({ name }) => name.slice(prefix.length).split(" ")[0]).join(", ");
}

function helpFor(argv: readonly string[]): string {
  const command = findCommand(argv);
  return command === undefined ? "cleat --help" : `cleat ${command.name} --help`;
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof UsageError) return "usage";
  if (error instanceof RemoteError) return "refused";
  return error instanceof TransportError || error instanceof PluginNotFoundError ? "unreachable" : "failed";
}
