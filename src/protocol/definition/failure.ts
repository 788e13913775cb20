import { z } from "zod";
import { errorCodes, type ErrorCode } from "../../errors/index.ts";
import { goStruct } from "./go-json.ts";

/**
 * How a failure looks on the wire. Engines read `Err` (moby v20.10.24 `pkg/plugins/client.go`: `responseErr`); `Code`
 * is Cleat's addition, which Go's decoder skips, so that a driver behind a socket fails with the same code as one in
 * process.
 */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

export function encodeFailure(failure: Failure): Buffer {
  return Buffer.from(JSON.stringify({ Err: failure.message, Code: failure.code }));
}

/**
 * Reads the failure out of a reply of any plugin: `{"Err", "Code"}`, `{"Err"}`, or plain text, which old plugins
 * send. An unknown code is `UNKNOWN`.
 */
export function parseFailure(bytes: Uint8Array): Failure {
  const text = new TextDecoder().decode(bytes).trim();
  return (
    failureIn(parseOrNothing(text), "Err") ?? { code: "UNKNOWN", message: text === "" ? "(no reason given)" : text }
  );
}

/**
 * The failure that a decoded reply holds, if any: some plugins answer 200 with an `Err`, and Docker reads it there
 * too, under the protocol's own name for it. What stands there and is no text is a failure all the same: Go does not
 * decode such an answer, so that one that allows something besides allows nothing.
 */
export function failureIn(value: unknown, field: string): Failure | undefined {
  const { [field]: said, Code: code } = failureFields(field).safeDecode(value).data ?? {};
  if (said === undefined || said === "") return undefined;
  const isKnown = typeof code === "string" && Object.hasOwn(errorCodes, code);
  const message = typeof said === "string" ? said : JSON.stringify(said);
  return { message, code: isKnown ? (code as ErrorCode) : "UNKNOWN" };
}

const anything = z.unknown().optional();

/** By the name of a protocol's field, of which there are few: to make a schema costs more than a call over a socket. */
const schemas = new Map<string, ReturnType<typeof makeFailureFields>>();

function failureFields(field: string): ReturnType<typeof makeFailureFields> {
  let schema = schemas.get(field);
  if (schema === undefined) schemas.set(field, (schema = makeFailureFields(field)));
  return schema;
}

function makeFailureFields(field: string) {
  return goStruct({ [field]: anything, Code: anything });
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // plain text: shown as it is
  }
}
