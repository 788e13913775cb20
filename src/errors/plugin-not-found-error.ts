import { CleatError, type CleatErrorOptions } from "./cleat-error.ts";

/** No file tells of a plugin of that name. Always of code `NOT_FOUND`; `pathsTried` are in the order of precedence. */
export class PluginNotFoundError extends CleatError {
  override readonly name = "PluginNotFoundError";
  readonly plugin: string;
  readonly pathsTried: readonly string[];

  constructor(plugin: string, pathsTried: readonly string[], options: CleatErrorOptions = {}) {
    super("NOT_FOUND", `plugin "${plugin}" is not there: looked for ${pathsTried.join(", ")}`, options);
    this.plugin = plugin;
    this.pathsTried = pathsTried;
  }
}
