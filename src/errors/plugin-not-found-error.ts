import { CleatError, type CleatErrorOptions } from "./cleat-error.ts";

/**
 * No file tells of a plugin of that name. Always of code `NOT_FOUND`; `pathsTried` are in the order of precedence, and
 * `advice`, which ends the message, is what whoever reads it can do.
 */
export class PluginNotFoundError extends CleatError {
  override readonly name = "PluginNotFoundError";
  readonly plugin: string;
  readonly pathsTried: readonly string[];

  constructor(
    plugin: string,
    pathsTried: readonly string[],
    options: CleatErrorOptions & { readonly advice?: string } = {},
  ) {
    const looked = `plugin "${plugin}" is not there: looked for ${pathsTried.join(", ")}`;
    super("NOT_FOUND", options.advice === undefined ? looked : `${looked}; ${options.advice}`, options);
    this.plugin = plugin;
    this.pathsTried = pathsTried;
  }
}
