export { CleatError, type CleatErrorOptions } from "./cleat-error.ts";
export { errorCodes, type ErrorCode } from "./codes.ts";
export { PluginNotFoundError } from "./plugin-not-found-error.ts";
export { quoteBytes, quoteText, quoteValue } from "./quote.ts";
export { RemoteError, type RemoteOrigin } from "./remote-error.ts";
export { SchemaError, type SchemaIssue } from "./schema-error.ts";
export { isDiskFull, isSystemError, SystemError } from "./system-error.ts";
export { toCleatError, withSubject } from "./to-cleat-error.ts";
export { TransportError, type TransportErrorOptions } from "./transport-error.ts";
export {
  type MissingAbility,
  UnsupportedError,
  type UnsupportedReason,
  unsupportedReasons,
} from "./unsupported-error.ts";
