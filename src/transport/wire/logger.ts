import { inspect } from "node:util";

/** What Cleat needs of a logger; a pino logger is one. Passed in, never global. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Writes errors to standard error, with their stacks, and nothing else: what whoever serves a driver has unless told
 * otherwise, so that a slip of the driver leaves a trace with its author.
 */
export const errorLogger: Logger = {
  ...silentLogger,
  error(fields, message) {
    outliveStandardError();
    process.stderr.write(`${message} ${inspect(fields, { depth: 4, breakLength: Number.POSITIVE_INFINITY })}\n`);
  },
};

let isOutlived = false;

/** Whoever has read it may be gone, as `| head` is: Node would end the process for that, and with it what is served. */
function outliveStandardError(): void {
  if (isOutlived) return;
  isOutlived = true;
  process.stderr.on("error", () => {});
}
