import type { Logger } from "../../../transport/index.ts";
import type { CommandContext } from "../../terminal/command.ts";
import { parseOneOf } from "../../terminal/one-of.ts";

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;

/** A pino logger on stderr: for people on a terminal, JSON lines otherwise. */
export async function createLogger(text: string, context: CommandContext): Promise<Logger> {
  const { stderr } = context;
  const level = parseOneOf("--log-level", logLevels, text);
  const { pino } = await import("pino");
  const stream = stderr.isTTY ? await createPrettyStream(context) : stderr;
  const logger: Logger = pino({ level, base: null }, stream); // pino's own type has an index signature, and so a `then`
  return logger;
}

/** Line by line, and not by a stream of its own, of which the process's end might cut something off. */
async function createPrettyStream({ stderr, env }: CommandContext) {
  const { default: pretty } = await import("pino-pretty");
  const prettify = pretty.prettyFactory({
    colorize: !env["NO_COLOR"],
    singleLine: true,
    translateTime: "SYS:HH:MM:ss",
  });
  return { write: (line: string) => void stderr.write(String(prettify(line))) };
}
