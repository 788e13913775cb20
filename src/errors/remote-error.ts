import { CleatError } from "./cleat-error.ts";
import type { ErrorCode } from "./codes.ts";

/** Where a failure that came over a wire was answered. */
export interface RemoteOrigin {
  readonly plugin: string;
  /** The whole path, "/GraphDriver.Get". */
  readonly method: string;
  readonly httpStatus: number;
}

/**
 * A plugin answered a call with a failure. `code` is the plugin's own where it sent one beside `Err`, as Cleat's
 * plugins do; `UNKNOWN` where it sent only text, `UNIMPLEMENTED` where it does not know the method. `remoteMessage`
 * is the text as sent.
 */
export class RemoteError extends CleatError {
  override readonly name = "RemoteError";
  readonly plugin: string;
  readonly method: string;
  readonly httpStatus: number;
  readonly remoteMessage: string;

  constructor(code: ErrorCode, message: string, origin: RemoteOrigin) {
    super(code, `plugin "${origin.plugin}" answered ${origin.method} with ${origin.httpStatus}: ${message}`);
    this.plugin = origin.plugin;
    this.method = origin.method;
    this.httpStatus = origin.httpStatus;
    this.remoteMessage = message;
  }
}
