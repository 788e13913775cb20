import type { Logger } from "../transport/index.ts";
import { type Surroundings, UsageError } from "./command.ts";

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;

/** A pino logger on stderr: for people on a terminal, JSON lines otherwise. */
export async function createLogger(level: string, { stderr }: Surroundings): Promise<Logger> {
  if (!(logLevels as readonly string[]).includes(level)) {
    throw new UsageError(`log level "${level}" is none of ${logLevels.join(", ")}`);
  }
  const { pino } = await import("pino");
  const stream = stderr.isTTY ? await createPrettyStream(stderr) : stderr;
  const logger: Logger = pino({ level, base: null }, stream); // pino's own type has an index signature, and so a `then`
  return logger;
}

async function createPrettyStream(destination: Surroundings["stderr"]) {
  const { default: pretty } = await import("pino-pretty");
  return pretty({ destination, colorize: true, singleLine: true, translateTime: "SYS:HH:MM:ss" });
}
