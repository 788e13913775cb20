import { CleatError } from "../../errors/index.ts";

/**
 * What somebody's driver answers, where an object or a list is wanted; `subject` names both, as "volume driver "x"".
 * @throws INTERNAL, naming driver and method, for anything else: its author may have no compiler that says so. What it
 *   is, and not its content, which may be a secret.
 */
export async function answerOf<T extends object>(answer: Promise<T>, subject: string, method: string): Promise<T> {
  const given: unknown = await answer;
  if (typeof given === "object" && given !== null) return given as T;
  const kind = given === undefined || given === null ? String(given) : `a ${typeof given}`;
  throw new CleatError("INTERNAL", `${subject}: ${method} answered ${kind}, and no object`);
}
