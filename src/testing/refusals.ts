import { AssertionError } from "node:assert";
import { CleatError, type ErrorCode, TransportError } from "../errors/index.ts";

/**
 * What a driver's errors carry: a code of the contract, or, behind a plugin that speaks plain Docker protocol, text
 * only. Then the kit takes any error that the driver answers for the right one.
 */
export type Refusals = "coded" | "text";

/** Fails unless `call` rejects with one of `codes`, in a message that names `subject`. */
export async function assertRefused(
  call: Promise<unknown>,
  codes: ErrorCode | readonly ErrorCode[],
  subject: string,
  refusals: Refusals,
): Promise<void> {
  const wanted: readonly string[] = typeof codes === "string" ? [codes] : codes;
  const error = await call.then(
    (answer) => {
      const shown = JSON.stringify(answer) ?? "nothing";
      throw new AssertionError({ message: `call succeeded with ${shown}, expected ${wanted.join(" or ")}` });
    },
    (reason: unknown) => reason,
  );
  if (error instanceof AssertionError) throw error;
  // A plugin that cannot be reached refuses nothing; a caller who gives up is told so before the plugin is.
  if (error instanceof TransportError && !wanted.includes(error.code)) throw error;
  if (refusals === "text") return;
  if (!(error instanceof CleatError)) {
    throw new AssertionError({ message: `rejected with ${String(error)}, which has no code of the contract` });
  }
  if (!wanted.includes(error.code)) {
    throw new AssertionError({
      message: `rejected with ${error.code} ("${error.message}"), expected ${wanted.join(" or ")}`,
    });
  }
  if (error.message.includes(subject) && !error.message.trim().includes("\n")) return;
  throw new AssertionError({ message: `message is not one line that names "${subject}": ${error.message}` });
}
