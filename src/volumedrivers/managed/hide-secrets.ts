import { inspect } from "node:util";
import { CleatError, toCleatError } from "../../errors/index.ts";
import type { Logger } from "../../transport/index.ts";
import { hidden } from "../options/read-options.ts";

export function hideSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, hidden), text);
}

/** Whatever may be hidden in it: causes, stacks and fields of errors are shown by loggers as well. */
export function holdsSecret(value: unknown, secrets: readonly string[]): boolean {
  if (secrets.length === 0) return false;
  const text = typeof value === "string" ? value : inspect(value, { depth: 8, maxStringLength: Infinity });
  // also as quoted by what prints it
  return secrets.some((secret) => text.includes(secret) || text.includes(inspect(secret).slice(1, -1)));
}

/** A logger for what a volume's backend says, in which none of the volume's secrets can be read. */
export function createHidingLogger(logger: Logger, secrets: readonly string[]): Logger {
  if (secrets.length === 0) return logger;
  const hide = (value: unknown): unknown => {
    if (typeof value === "string") return hideSecrets(value, secrets);
    if (!holdsSecret(value, secrets)) return value;
    if (!(value instanceof Error)) return hidden;
    const { code, message } = toCleatError(value);
    return new CleatError(code, hideSecrets(message, secrets));
  };
  const hideAll = (fields: object): object =>
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, hide(value)]));
  return {
    debug: (fields, message) => logger.debug(hideAll(fields), hideSecrets(message, secrets)),
    info: (fields, message) => logger.info(hideAll(fields), hideSecrets(message, secrets)),
    warn: (fields, message) => logger.warn(hideAll(fields), hideSecrets(message, secrets)),
    error: (fields, message) => logger.error(hideAll(fields), hideSecrets(message, secrets)),
  };
}
