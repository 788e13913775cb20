/** What an answer on the wire has to be, seen as engines see it. */
import { AssertionError } from "node:assert";
import type { z } from "zod";
import { quoteText } from "../../errors/index.ts";
import { decodeGoJson } from "../../protocol/index.ts";
import type { WireAnswer } from "./plugin-peer.ts";

/** Fails unless it is a success of that shape; returns it. */
export function assertSuccess<S extends z.ZodType>(path: string, answer: WireAnswer, response: S): z.output<S> {
  if (answer.status !== 200) throw new AssertionError({ message: `${path} answered ${describeAnswer(answer)}` });
  const value = decodeGoJson(response, answer.body, `answer of ${path}`, "DATA_LOSS");
  const reason = reasonIn(parseJson(path, answer), ["err", "error"]);
  if (reason === undefined) return value;
  throw new AssertionError({ message: `${path} answered 200 with a failure, ${quoteText(reason)}` });
}

/** Fails unless the call failed, in words, and not as a method that is not there. */
export function assertFailure(path: string, answer: WireAnswer, what: string): void {
  const wrong = (problem: string) => new AssertionError({ message: `${path} with ${what} ${problem}` });
  if (answer.status === 404) throw wrong("answered 404, which says that there is no such method");
  const failed = answer.status >= 400 || reasonIn(tryJson(answer), ["err", "error"]) !== undefined;
  if (!failed) throw wrong(`answered ${describeAnswer(answer)}, and not a failure`);
}

/** Fails unless a failure looks as each engine can read it: not 200, JSON, a reason in `Err`. */
export function assertFailureShape(path: string, answer: WireAnswer, what: string): void {
  assertFailure(path, answer, what);
  if (answer.status !== 200 && reasonIn(tryJson(answer), ["err"]) !== undefined) return;
  const wanted = 'a status of 500 with {"Err":"why"}';
  throw new AssertionError({ message: `${path} with ${what} answered ${describeAnswer(answer)}, not ${wanted}` });
}

/** "500 {"Err":"no"}", in a line. */
export function describeAnswer({ status, body }: WireAnswer): string {
  return `${status} ${quoteText(body.subarray(0, 400).toString().trim())}`;
}

/**
 * The reason of a failure: in `Err`, whatever the case, as Go reads it; of the protocols of networks and addresses an
 * answer of 200 has it in `Error`.
 */
function reasonIn(value: unknown, fields: readonly string[]): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, text] of Object.entries(value)) {
    if (fields.includes(key.toLowerCase()) && typeof text === "string" && text !== "") return text;
  }
  return undefined;
}

function parseJson(path: string, answer: WireAnswer): unknown {
  const value = tryJson(answer);
  if (value !== undefined || answer.body.length === 0) return value;
  throw new AssertionError({ message: `${path} answered what is not JSON: ${describeAnswer(answer)}` });
}

function tryJson({ body }: WireAnswer): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    return undefined; // whoever wants JSON says so
  }
}
