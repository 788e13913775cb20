import { finished, Readable } from "node:stream";
import { CleatError, type ErrorCode, toCleatError } from "../../errors/index.ts";
import {
  decodeGoJson,
  decodeValue,
  defaultMaxRequestBytes,
  encodeFailure,
  encodeGoJson,
  encodeGoJsonList,
  type JsonMethod,
  type Method,
  pluginMediaType,
  type UploadMethod,
} from "../../protocol/index.ts";
import { wholeOf } from "../../protocol/kit.ts";
import { readBounded } from "../wire/bounded-body.ts";
import { errorLogger, type Logger } from "../wire/logger.ts";
import type { Handler, WireReply, WireRequest } from "../wire/wire.ts";
import { traceCall, type TracedCall } from "./call-channel.ts";
import { untilFirstByte } from "./first-byte.ts";
import type { AnyServerMethod, Service } from "./service.ts";
import { takeWhole } from "./whole-body.ts";

export interface HandlerOptions {
  /**
   * Default: `errorLogger`. A failure that no `CleatError` tells of is an error, any other a warning, but for what a
   * driver refuses because of what it was asked for.
   */
  readonly logger?: Logger;
  /** Cap for JSON requests, instead of each method's own. Uploads have none. */
  readonly maxRequestBytes?: number | undefined;
}

interface Route {
  readonly method: Method;
  readonly run: AnyServerMethod;
}

/**
 * Answers every method of `services` from their tables: 200; 404 for a method that is not there, and for nothing
 * else; 400 for a request that is malformed, 413 for one over the cap, neither of which reaches the implementation;
 * 500 when the implementation fails. A failure is `{"Err", "Code"}`.
 * @throws ALREADY_EXISTS when two services have a method of the same path.
 */
export function createHandler(services: readonly Service[], options: HandlerOptions = {}): Handler {
  const { logger = errorLogger, maxRequestBytes } = options;
  const routes = collectRoutes(services);

  const answer = async (request: WireRequest, route: Route | undefined, traced: TracedCall | undefined) => {
    const startedMs = performance.now();
    const fieldsOf = (status: number) => {
      return { method: request.path, subject, status, durationMs: Math.round(performance.now() - startedMs) };
    };
    /** `thrown` is whatever it was; it may be nothing at all. */
    const logFailure = (status: number, thrown: unknown) => {
      if (!isForeseen(thrown)) return logger.error({ ...fieldsOf(status), err: thrown }, "failed unforeseen");
      const fields = { ...fieldsOf(status), code: thrown.code, reason: thrown.message };
      if (status === 500 && refusals.has(thrown.code)) logger.info(fields, "refused");
      else logger.warn(fields, "failed");
    };

    /** How an answer ended that went out as a stream. */
    const logEnd = (stream: Readable) =>
      finished(stream, { writable: false }, (error) => {
        if (!error) logger.debug(fieldsOf(200), "answered");
        else if (request.signal.aborted) logFailure(200, request.signal.reason);
        else logFailure(200, isBreakOff(error) ? closedEarly() : error);
      });

    let failureStatus = 404;
    let subject: unknown;
    try {
      if (route === undefined)
        throw new CleatError("UNIMPLEMENTED", `method "${request.path}" is not implemented here`);
      failureStatus = 400;
      const input = await readArguments(route.method, request, maxRequestBytes);
      subject = subjectOf(route.method, input);
      if (traced !== undefined) traced.subject = subject;
      failureStatus = 500;
      const answered = await route.run(input as never, request as WireRequest & { body: AsyncIterable<Uint8Array> });
      if (route.method.framing !== "download") {
        const body = encodeAnswer(route.method, answered, `answer of ${request.path}`);
        if (body instanceof Readable) logEnd(body);
        else logger.debug(fieldsOf(200), "answered");
        return { status: 200, body, mediaType: pluginMediaType };
      }
      const stream = answered as Readable;
      const whole = wholeOf(stream) ?? (await readWhole(stream, request.signal));
      if (whole !== undefined) {
        stream.destroy();
        logger.debug(fieldsOf(200), "answered");
        return { status: 200, body: whole, mediaType: route.method.mediaType };
      }
      logEnd(stream);
      return { status: 200, body: stream, mediaType: route.method.mediaType };
    } catch (thrown) {
      const error = isBreakOff(thrown) && request.signal.aborted ? request.signal.reason : thrown;
      const failure = toCleatError(error); // engines name the method themselves
      const status = failureStatus === 400 && failure.code === "RESOURCE_EXHAUSTED" ? 413 : failureStatus;
      logFailure(status, error);
      if (traced !== undefined) Object.assign(traced, { code: failure.code, error });
      return toReply(status, failure);
    }
  };
  return async (request) => {
    const route = routes.get(request.path);
    return await traceCall(route?.method.path, (traced) => answer(request, route, traced));
  };
}

async function readWhole(stream: Readable, signal: AbortSignal): Promise<Uint8Array | undefined> {
  await untilFirstByte(stream, signal);
  return takeWhole(stream);
}

function encodeAnswer(method: JsonMethod | UploadMethod, answer: unknown, subject: string): Uint8Array | Readable {
  if (method.framing === "upload" || method.list === undefined) return encodeGoJson(method.response, answer, subject);
  const { field, item } = method.list;
  const values = (answer as Record<string, Iterable<unknown>>)[field] ?? [];
  const pieces = encodeGoJsonList(field, item, values, subject);
  const [first, second] = [pieces.next(), pieces.next()];
  if (first.done === true || second.done === true) return first.value ?? Buffer.alloc(0);
  return Readable.from(concatenate([first.value, second.value], pieces), { objectMode: false });
}

function* concatenate<T>(first: Iterable<T>, rest: Iterable<T>): Generator<T> {
  yield* first;
  yield* rest;
}
/** Messages are printed by somebody; callers of ours read no more than 64 KiB of a failure. */
const maxMessageLength = 8192;

/** A failure as every engine reads it. */
export function toReply(status: number, { code, message: whole }: CleatError): WireReply {
  const isLong = whole.length > maxMessageLength;
  const message = isLong ? `${whole.slice(0, maxMessageLength)}… (${whole.length} characters)` : whole;
  return { status, body: encodeFailure({ code, message }) };
}

/** What who asked has to do something about, and an operator has not: they are told, as a matter of course. */
const refusals: ReadonlySet<ErrorCode> = new Set(["NOT_FOUND", "ALREADY_EXISTS", "INVALID_ARGUMENT"]);

/** A stack is of use only where nobody has foreseen the failure. */
function isForeseen(thrown: unknown): thrown is CleatError {
  return thrown instanceof CleatError && thrown.code !== "INTERNAL";
}

/**
 * What Node's streams and functions say when they are ended before their time, as by a peer that hangs up: that they
 * were, and not why.
 */
function isBreakOff(thrown: unknown): boolean {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  return code === "ERR_STREAM_PREMATURE_CLOSE" || code === "ABORT_ERR";
}

/** What Node says of it, as when a peer hangs up, is no slip of anybody's. */
function closedEarly(): CleatError {
  return new CleatError("CANCELLED", "the answer was closed before its end");
}

function collectRoutes(services: readonly Service[]): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  for (const { protocol, implementation } of services) {
    for (const [name, method] of Object.entries(protocol.methods)) {
      if (routes.has(method.path)) throw new CleatError("ALREADY_EXISTS", `method "${method.path}" is served twice`);
      const run = implementation[name];
      if (run !== undefined) routes.set(method.path, { method, run: run.bind(implementation) });
    }
  }
  return routes;
}

async function readArguments(method: Method, request: WireRequest, cap: number | undefined): Promise<unknown> {
  const subject = `request to ${method.path}`;
  if (method.framing === "upload") return decodeValue(method.request, request.query, subject, "INVALID_ARGUMENT");
  const maxBytes = cap ?? method.maxRequestBytes ?? defaultMaxRequestBytes;
  return decodeGoJson(method.request, await readBounded(request.body, maxBytes, subject), subject, "INVALID_ARGUMENT");
}

function subjectOf(method: Method, input: unknown): unknown {
  return method.subject === undefined ? undefined : (input as Record<string, unknown>)[method.subject];
}
