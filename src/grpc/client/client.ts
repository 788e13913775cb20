import { CleatError, TransportError } from "../../errors/index.ts";
import { createDeadline, type Deadline } from "../../transport/index.ts";
import type { GrpcMethod, GrpcService } from "../services/define-service.ts";
import { createFrameReader, defaultMaxMessageBytes, encodeFrame } from "../wire/frames.ts";
import { iterateMessages, readOneMessage } from "../wire/read-messages.ts";
import type { GrpcCallOptions, GrpcClient, Metadata } from "../services/sides.ts";
import { createPeerSilence, type PeerSilence } from "../wire/silence.ts";
import { formatTimeout } from "../wire/timeout.ts";
import type { GrpcChannel } from "./channel.ts";
import { type ClientStream, openClientStream } from "./client-stream.ts";
import { pumpRequests, type RequestPump } from "./pump-requests.ts";

export interface GrpcClientOptions {
  /** Sent with every call. */
  readonly metadata?: Metadata | undefined;
  /** Instead of each method's own. */
  readonly timeoutMs?: number | undefined;
  /** Cap for one message, each way; default 16 MiB. */
  readonly maxMessageBytes?: number | undefined;
}

/** The client of a service over a channel, which stays its maker's to close. */
export function createGrpcClient<S extends GrpcService>(
  service: S,
  channel: GrpcChannel,
  options: GrpcClientOptions = {},
): GrpcClient<S> {
  const methods = Object.entries(service.methods).map(([name, method]) => [name, bind(method, channel, options)]);
  return Object.fromEntries(methods) as GrpcClient<S>;
}

type Request = unknown;

function bind(method: GrpcMethod, channel: GrpcChannel, options: GrpcClientOptions) {
  const context = { method, channel, options, maxMessageBytes: options.maxMessageBytes ?? defaultMaxMessageBytes };
  switch (method.kind) {
    case "unary":
      return (request: Request, call: GrpcCallOptions = {}) => callUnary(context, request, call);
    case "client-stream":
      return (requests: AsyncIterable<Request>, call: GrpcCallOptions = {}) => callForOne(context, requests, call);
    case "server-stream":
      return (request: Request, call: GrpcCallOptions = {}) => callForMany(context, [request], call);
    case "bidi":
      return (requests: AsyncIterable<Request>, call: GrpcCallOptions = {}) => callForMany(context, requests, call);
  }
}

interface Context {
  readonly method: GrpcMethod;
  readonly channel: GrpcChannel;
  readonly options: GrpcClientOptions;
  readonly maxMessageBytes: number;
}

async function callUnary(context: Context, request: Request, call: GrpcCallOptions): Promise<unknown> {
  const { method, maxMessageBytes } = context;
  const frame = encodeFrame(method.request.encode(request as never), maxMessageBytes);
  let wasOpened = false;
  const send = () =>
    withDeadline(context, call, async (deadline, timeoutMs) => {
      const opened = await openWithin(context, call, deadline, { "grpc-timeout": formatTimeout(timeoutMs) });
      wasOpened = true;
      opened.stream.end(frame);
      return readOne(context, opened);
    });
  try {
    return await send();
  } catch (error) {
    // A peer that was about to close has refused to look at it; it may be there again.
    if (wasOpened && error instanceof TransportError && !error.reachedPeer) return send();
    throw error;
  }
}

async function callForOne(context: Context, requests: AsyncIterable<Request>, call: GrpcCallOptions): Promise<unknown> {
  return withDeadline(context, call, async (deadline) => {
    const opened = await openWithin(context, call, deadline);
    const pumped = pump(context, opened, requests, createPeerSilence(deadline));
    try {
      return await readOne(context, opened, pumped);
    } catch (error) {
      throw pumped.failure === undefined ? error : pumped.failure.error;
    } finally {
      pumped.stop();
    }
  });
}

async function* callForMany(
  context: Context,
  requests: AsyncIterable<Request> | readonly Request[],
  call: GrpcCallOptions,
): AsyncGenerator<unknown> {
  const { method, maxMessageBytes } = context;
  const deadline = createDeadline(timeoutOf(context, call), subjectOf(context), call.signal);
  let opened: ClientStream | undefined;
  let pumped: RequestPump | undefined;
  try {
    opened = await openWithin(context, call, deadline);
    const silence = createPeerSilence(deadline);
    pumped = pump(context, opened, requests, silence);
    const frames = createFrameReader(maxMessageBytes, "DATA_LOSS");
    for await (const message of iterateMessages(opened.stream, { frames, subject: "peer" })) {
      silence.pause();
      yield method.response.decode(message, "DATA_LOSS");
      silence.wait();
    }
    pumped.stop();
    await opened.finish();
  } catch (error) {
    throw await explain(error, opened, deadline, pumped);
  } finally {
    deadline.release();
    pumped?.stop();
    opened?.cancel();
  }
}

function pump(
  { method, maxMessageBytes }: Context,
  opened: ClientStream,
  requests: AsyncIterable<Request> | readonly Request[],
  silence: PeerSilence,
): RequestPump {
  const encode = (request: Request) => encodeFrame(method.request.encode(request as never), maxMessageBytes);
  return pumpRequests(opened, requests, encode, silence);
}

async function readOne(
  { method, maxMessageBytes }: Context,
  opened: ClientStream,
  pumped?: RequestPump,
): Promise<unknown> {
  const frames = createFrameReader(maxMessageBytes, "DATA_LOSS");
  const tooMany = () => new CleatError("DATA_LOSS", `${method.path} was answered with more than one message`);
  let answer: Uint8Array | undefined;
  try {
    answer = await readOneMessage(opened.stream, { frames, subject: "peer", tooMany });
  } catch (error) {
    opened.cancel();
    if (error instanceof TransportError) await opened.ended; // says more than that the stream was cut off
    throw error;
  }
  pumped?.stop();
  await opened.finish();
  if (answer === undefined) throw new CleatError("DATA_LOSS", `${method.path} was answered with no message`);
  return method.response.decode(answer, "DATA_LOSS");
}

async function withDeadline<T>(
  context: Context,
  call: GrpcCallOptions,
  work: (deadline: Deadline, timeoutMs: number) => Promise<T>,
): Promise<T> {
  const timeoutMs = timeoutOf(context, call);
  const deadline = createDeadline(timeoutMs, subjectOf(context), call.signal);
  try {
    return await work(deadline, timeoutMs);
  } catch (error) {
    throw deadline.signal.aborted && !(error instanceof Error && error.name === "GrpcError")
      ? deadline.signal.reason
      : error;
  } finally {
    deadline.release();
  }
}

/** What a stream's failure was: the caller's own, time, the peer's status, or the transport's. */
async function explain(
  error: unknown,
  opened: ClientStream | undefined,
  deadline: Deadline,
  pumped: RequestPump | undefined,
): Promise<unknown> {
  if (pumped?.failure !== undefined) return pumped.failure.error;
  if (deadline.signal.aborted) return deadline.signal.reason;
  if (!(error instanceof TransportError) || opened === undefined) return error;
  return opened.ended.then(
    () => error,
    (status: unknown) => status,
  );
}

async function openWithin(
  { method, channel, options }: Context,
  call: GrpcCallOptions,
  { signal }: Deadline,
  headers: Metadata = {},
): Promise<ClientStream> {
  signal.throwIfAborted();
  const opening = openClientStream(channel, method, { ...options.metadata, ...call.metadata, ...headers });
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    const opened = await Promise.race([opening, aborted]);
    signal.addEventListener("abort", opened.cancel, { once: true });
    if (signal.aborted) opened.cancel();
    return opened;
  } catch (error) {
    opening.then(({ cancel }) => cancel()).catch(() => {}); // nobody waits for it any more
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function timeoutOf({ method, options }: Context, call: GrpcCallOptions): number {
  return call.timeoutMs ?? options.timeoutMs ?? method.timeoutMs;
}

function subjectOf({ method, channel }: Context): string {
  return `${method.path} on ${channel.address}`;
}
