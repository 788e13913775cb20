export { CleatError, type CleatErrorOptions } from "./cleat-error.ts";
export { errorCodes, type ErrorCode } from "./codes.ts";
export { isSystemError, SystemError } from "./system-error.ts";
export { toCleatError } from "./to-cleat-error.ts";
export { UnsupportedError, type MissingAbility } from "./unsupported-error.ts";
