import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { CleatError } from "../../errors/index.ts";
import type { Connection } from "../../protocol/index.ts";
import { type Logger, traceCall, type TracedCall } from "../../transport/index.ts";
import type { GrpcMethod } from "../services/define-service.ts";
import { createFrameReader, encodeFrame } from "../wire/frames.ts";
import type { MemoryBudget } from "../wire/memory-budget.ts";
import { iterateMessages, readOneMessage } from "../wire/read-messages.ts";
import type { AnyGrpcMethod } from "../services/sides.ts";
import { createReply, type Reply } from "./reply.ts";
import { openServerCall, type ServerCall } from "./server-call.ts";

export interface Route {
  readonly method: GrpcMethod;
  readonly run: AnyGrpcMethod;
}

export interface CallContext {
  readonly logger: Logger;
  readonly maxMessageBytes: number;
  readonly budget: MemoryBudget;
  readonly connection: Connection;
}

/** Answers one call, and traces it. Never rejects: a failure is a status. */
export async function handleCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  route: Route | undefined,
  context: CallContext,
): Promise<void> {
  await traceCall(route?.method.path, (traced) => answerCall(stream, headers, route, context, traced));
}

async function answerCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  route: Route | undefined,
  context: CallContext,
  traced: TracedCall | undefined,
): Promise<void> {
  const path = String(headers[":path"]);
  const startedMs = performance.now();
  const reply = createReply(stream);
  const subject: { value?: unknown } = {};
  const log = (failure?: CleatError) => {
    const durationMs = Math.round(performance.now() - startedMs);
    const fields = { method: path.slice(0, maxLoggedPath), subject: subject.value, durationMs };
    if (failure === undefined) context.logger.debug(fields, "answered");
    else if (answers.has(failure.code)) context.logger.debug({ ...fields, ...toLogFields(failure) }, "refused");
    else context.logger.warn({ ...fields, ...toLogFields(failure) }, "failed");
  };
  let call: ServerCall | undefined;
  try {
    if (route === undefined) {
      throw new CleatError("UNIMPLEMENTED", `method "${path.slice(0, maxLoggedPath)}" is not implemented here`);
    }
    call = openServerCall(stream, headers, route.method, context.connection);
    await Promise.race([answer(stream, route, call, reply, context, subject), call.aborted]);
    log();
  } catch (error) {
    const failure = toFailure(error, call);
    reply.fail(failure.code, failure.message);
    log(failure);
    if (traced !== undefined) Object.assign(traced, { code: failure.code, error });
  } finally {
    if (traced !== undefined) traced.subject = subject.value;
    call?.release();
  }
}

const maxLoggedPath = 256;

/**
 * What peers ask in order to be told: containerd looks whether a snapshot is there, and prepares one to see whether it
 * is. An operator has nothing to do about it.
 */
const answers: ReadonlySet<string> = new Set(["NOT_FOUND", "ALREADY_EXISTS", "CANCELLED"]);

async function answer(
  stream: ServerHttp2Stream,
  { method, run }: Route,
  call: ServerCall,
  reply: Reply,
  context: CallContext,
  subject: { value?: unknown },
): Promise<void> {
  const { maxMessageBytes, budget } = context;
  const frames = createFrameReader(maxMessageBytes, "INVALID_ARGUMENT");
  const decode = (message: Uint8Array) => {
    const request = method.request.decode(message, "INVALID_ARGUMENT");
    if (method.subject !== undefined) {
      subject.value ??= (request as Readonly<Record<string, unknown>>)[method.subject];
    }
    return request;
  };
  const encode = (response: unknown) => encodeFrame(method.response.encode(response as never), maxMessageBytes);

  if (method.kind === "client-stream" || method.kind === "bidi") {
    const requests = decodeAll(iterateMessages(stream, { frames, budget, subject: "peer" }), decode);
    const answered = run(requests as never, call);
    if (method.kind === "bidi") await sendAll(answered as AsyncIterable<unknown>, encode, call, reply);
    else reply.finish(encode(await answered));
    return;
  }
  const meter = createMeter(budget);
  try {
    const notOne = () => new CleatError("UNIMPLEMENTED", `${method.path} takes one message`);
    const request = await readOneMessage(stream, { frames, budget: meter, subject: "peer", tooMany: notOne });
    if (request === undefined) throw notOne();
    const answered = run(decode(request) as never, call);
    if (method.kind === "unary") reply.finish(encode(await answered));
    else await sendAll(answered as AsyncIterable<unknown>, encode, call, reply);
  } finally {
    meter.close();
  }
}

/** Takes from a budget for one call, and gives all of it back. */
function createMeter(budget: MemoryBudget): MemoryBudget & { close(): void } {
  let taken = 0;
  return {
    take(bytes) {
      budget.take(bytes);
      taken += bytes;
    },
    give(bytes) {
      budget.give(bytes);
      taken -= bytes;
    },
    close() {
      budget.give(taken);
      taken = 0;
    },
  };
}

async function* decodeAll(messages: AsyncIterable<Uint8Array>, decode: (message: Uint8Array) => unknown) {
  for await (const message of messages) yield decode(message);
}

/** Sends as fast as the peer takes it. A peer that is gone ends the loop, and with it the implementation's. */
async function sendAll(
  responses: AsyncIterable<unknown>,
  encode: (response: unknown) => Uint8Array,
  call: ServerCall,
  reply: Reply,
): Promise<void> {
  for await (const response of responses) {
    call.signal.throwIfAborted();
    await reply.send(encode(response));
    call.signal.throwIfAborted();
  }
  reply.finish();
}

/** What nobody gave a code has none: guessing one from a failed system call would tell the peer something else. */
function toFailure(error: unknown, call: ServerCall | undefined): CleatError {
  if (error instanceof CleatError) return error;
  if (call?.signal.aborted && call.signal.reason instanceof CleatError) return call.signal.reason;
  return new CleatError("UNKNOWN", error instanceof Error ? error.message : String(error), { cause: error });
}

/** A stack is of use only where nobody has foreseen the failure. */
function toLogFields(failure: CleatError): object {
  const { code, message } = failure;
  if (code === "UNKNOWN" || code === "INTERNAL")
    return { err: failure.cause instanceof Error ? failure.cause : failure };
  return { code, reason: message };
}
