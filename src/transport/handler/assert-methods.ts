import { inspect } from "node:util";
import { CleatError } from "../../errors/index.ts";

/**
 * For authors who have no compiler to tell them: whether a driver has its methods.
 * @throws INVALID_ARGUMENT about `subject`, naming the methods that are not there.
 */
export function assertMethods(driver: unknown, methods: readonly string[], subject: string): void {
  if (typeof driver !== "object" || driver === null)
    throw toInvalidError(`${subject} is ${inspect(driver, { depth: 0 })}`);
  if (driver instanceof Promise) throw toInvalidError(`${subject} is a promise; await it`);
  const missing = methods.filter((name) => typeof (driver as Record<string, unknown>)[name] !== "function");
  if (missing.length > 0)
    throw toInvalidError(`${subject} lacks the ${missing.length > 1 ? "methods" : "method"} ${missing.join(", ")}`);
}

function toInvalidError(message: string): CleatError {
  return new CleatError("INVALID_ARGUMENT", message);
}
