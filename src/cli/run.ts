import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { PluginNotFoundError, RemoteError, toCleatError, TransportError, withSubject } from "../errors/index.ts";
import { call } from "./call.ts";
import { type Command, type Surroundings, UsageError } from "./command.ts";
import { doctor } from "./doctor.ts";
import { exitCodes, type Outcome } from "./exit-codes.ts";
import { fsck } from "./fsck.ts";
import { formatFailure } from "./format-failure.ts";
import { formatHelp, formatOverview } from "./help.ts";
import { inspect } from "./inspect.ts";
import { layers } from "./layers.ts";
import { ls } from "./ls.ts";
import { watchOutput } from "./output.ts";
import { serveGraph } from "./serve-graph.ts";
import { trace } from "./trace.ts";

/** Every command; one file each. */
export const commands: readonly Command[] = [serveGraph, doctor, layers, fsck, ls, inspect, call, trace];

/** Runs a command line (without "node cleat") and returns the exit code. Never rejects. */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { stdout, stderr } = surroundings;
  const output = watchOutput(stdout);
  watchOutput(stderr); // there is nobody left to tell
  try {
    const outcome = await dispatch(argv, surroundings);
    const failure = await output.failure();
    if (failure !== undefined) throw withSubject(failure, "stdout");
    return exitCodes[outcome].code;
  } catch (error) {
    stderr.write(formatFailure(error));
    if (error instanceof UsageError) stderr.write('Try "cleat --help".\n');
    return exitCodes[outcomeOf(error)].code;
  }
}

async function dispatch(argv: readonly string[], surroundings: Surroundings): Promise<Outcome> {
  const command = commands.find(({ name }) => name.split(" ").every((word, index) => argv[index] === word));
  if (command === undefined) return withoutCommand(argv, surroundings);
  const rest = argv.slice(command.name.split(" ").length);
  const { values, positionals } = parse(command, rest);
  if (values["help"] === true) {
    surroundings.stdout.write(formatHelp(command));
    return "done";
  }
  return command.run(values, positionals, surroundings);
}

function withoutCommand(argv: readonly string[], { stdout }: Surroundings): Outcome {
  const words = argv.filter((word) => !word.startsWith("-"));
  if (argv.includes("--version")) {
    stdout.write(`${readVersion()}\n`);
    return "done";
  }
  const prefix = words.length === 0 || words[0] === "help" ? "" : `${words.join(" ")} `;
  if (!commands.some(({ name }) => `${name} `.startsWith(prefix))) {
    throw new UsageError(`there is no command "${words.join(" ")}"`);
  }
  const asked = words.length === 0 || words[0] === "help" || argv.includes("--help");
  if (!asked) throw new UsageError(`"${words.join(" ")}" needs one more word: ${nextWords(prefix)}`);
  stdout.write(formatOverview(commands, prefix));
  return "done";
}

function nextWords(prefix: string): string {
  const matching = commands.filter(({ name }) => name.startsWith(prefix));
  return matching.map(({ name }) => name.slice(prefix.length).split(" ")[0]).join(", ");
}

function parse(command: Command, args: string[]) {
  const help = { type: "boolean" } as const;
  try {
    return parseArgs({ args, options: { ...command.options, help }, allowPositionals: true });
  } catch (error) {
    const [sentence = ""] = toCleatError(error).message.split(". ");
    throw new UsageError(sentence);
  }
}

/** The version in `package.json`, which is two folders up both from the source and from the build. */
export function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof UsageError) return "usage";
  if (error instanceof RemoteError) return "refused";
  return error instanceof TransportError || error instanceof PluginNotFoundError ? "unreachable" : "failed";
}
