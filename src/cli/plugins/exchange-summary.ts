import { type Exchange, type RecordedBody, recordedBytes } from "../../host/index.ts";
import {
  decodeGoJson,
  decodeValue,
  failureFieldOf,
  failureIn,
  type Method,
  parseFailure,
  protocols,
} from "../../protocol/index.ts";
import { printable } from "../terminal/printable.ts";

/** What `cleat trace` shows of a call: never its options, which may hold passwords. */
export interface ExchangeSummary {
  /** ISO 8601 in UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** "VolumeDriver.Mount"; with the HTTP method where that is not POST. */
  readonly method: string;
  /** What the call was about: a volume's or a layer's name. */
  readonly subject: string | undefined;
  readonly status: number | undefined;
  readonly requestBytes: number;
  readonly responseBytes: number | undefined;
  /** What the plugin answered under `Err`. */
  readonly err: string | undefined;
  /** Why the call got no whole answer. */
  readonly failure: string | undefined;
  /** "process 812 (dockerd)": who had the connection made. */
  readonly caller: string | undefined;
}

export function summarize(exchange: Exchange, caller?: string): ExchangeSummary {
  const { startedAt, durationMs, request, response, failure } = exchange;
  const [path = ""] = request.url.split("?");
  const { method: known, failureField = "Err" } = methods.get(path) ?? {};
  const name = path.replace(/^\//, "");
  return {
    startedAt,
    durationMs,
    method: request.method === "POST" ? name : `${request.method} ${name}`,
    subject: known?.subject === undefined ? undefined : subjectOf(known, known.subject, request),
    status: response?.status,
    requestBytes: request.body.sizeBytes,
    responseBytes: response?.body.sizeBytes,
    err: response === undefined ? undefined : errIn(response.status, response.body, known, failureField),
    failure,
    caller,
  };
}

/** One line for people; every text of a stranger's is made harmless. */
export function formatSummary(summary: ExchangeSummary): string {
  const { startedAt, durationMs, method, subject, status, requestBytes, responseBytes, err, failure, caller } = summary;
  const outcome = err ?? failure;
  return [
    timeOfDay(startedAt),
    printable(method, 60),
    subject === undefined ? "-" : printable(subject, 80),
    status ?? "---",
    `${durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs)} ms`,
    `${requestBytes}+${responseBytes ?? 0} B`,
    ...(caller === undefined ? [] : [printable(caller, 40)]),
    ...(outcome === undefined ? [] : [`${err === undefined ? "BROKEN" : "Err:"} ${printable(outcome)}`]),
  ].join("  ");
}

const methods = new Map(
  protocols.flatMap((protocol) => {
    const failureField = failureFieldOf(protocol);
    return Object.values(protocol.methods).map((method) => [method.path as string, { method, failureField }] as const);
  }),
);

function subjectOf(method: Method, field: string, { url, body }: Exchange["request"]): string | undefined {
  try {
    const query = Object.fromEntries(new URLSearchParams(url.slice(url.indexOf("?") + 1)));
    const input: unknown =
      method.framing === "upload"
        ? decodeValue(method.request, query, method.path, "INVALID_ARGUMENT")
        : decodeGoJson(method.request, recordedBytes(body), method.path, "INVALID_ARGUMENT");
    return String((input as Record<string, unknown>)[field]);
  } catch {
    return undefined; // not of the schema, or longer than what was recorded: the line does without
  }
}

function errIn(
  status: number,
  body: RecordedBody,
  method: Method | undefined,
  failureField: string,
): string | undefined {
  if (status !== 200) return parseFailure(recordedBytes(body)).message;
  if (method?.framing === "download" || body.sha256 !== undefined || !("text" in body)) return undefined;
  try {
    return failureIn(JSON.parse(body.text), failureField)?.message; // Docker reads it on 200 too
  } catch {
    return undefined; // no JSON, no `Err`
  }
}

function timeOfDay(iso: string): string {
  const date = new Date(iso);
  const two = (number: number) => String(number).padStart(2, "0");
  const millis = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`;
}
