import { CleatError, quoteText } from "../../errors/index.ts";

/**
 * What a plugin may be called. Its name becomes a file name (`NAME.sock`, `NAME.spec`) and, in Docker, the last part
 * of a graph driver's home, so it holds nothing that a path would resolve.
 */
export const pluginNamePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** @throws INVALID_ARGUMENT when `name` may not name a plugin. */
export function assertPluginName(name: string): void {
  if (pluginNamePattern.test(name)) return;
  throw new CleatError(
    "INVALID_ARGUMENT",
    `plugin name ${quoteText(name)} is not of the form ${pluginNamePattern.source}`,
  );
}
