import { Readable } from "node:stream";
import { CleatError, RemoteError, TransportError } from "../../errors/index.ts";
import {
  announcedName,
  type CallOptions,
  type Client,
  decodeValue,
  encodeGoJson,
  encodeValue,
  failureFieldOf,
  failureIn,
  type Method,
  parseFailure,
  parseGoJson,
  type Protocol,
  type UploadOptions,
} from "../../protocol/index.ts";
import { readBounded } from "../wire/bounded-body.ts";
import { createDeadline, type Deadline, type GivingUp } from "../wire/deadline.ts";
import type { Transport, WireReply, WireRequest } from "../wire/wire.ts";
import { guardStream } from "./guarded-stream.ts";
import { maxFailureBytesOf, maxReplyBytesOf, OutgoingCall } from "./outgoing-call.ts";

export interface ClientOptions {
  /** The plugin's name, for errors; default the transport's address. */
  readonly plugin?: string;
  /** Instead of each method's own. */
  readonly timeoutMs?: number | undefined;
  /** By path, "/VolumeDriver.Mount"; before `timeoutMs`. */
  readonly methodTimeoutsMs?: Readonly<Record<string, number>> | undefined;
  /** Cap for JSON answers, instead of each method's own. */
  readonly maxReplyBytes?: number | undefined;
}

/** And what the protocol's table says of all its methods. */
interface KnownOptions extends ClientOptions {
  readonly announced: string;
  readonly failureField: string;
}

/** The client of a protocol over a transport. The transport stays its maker's to close. */
export function createClient<P extends Protocol>(
  protocol: P,
  transport: Transport,
  options: ClientOptions = {},
): Client<P> {
  const known = { ...options, announced: announcedName(protocol), failureField: failureFieldOf(protocol) };
  const call = (method: Method) => (request: unknown, callOptions?: CallOptions) =>
    callMethod(method, request, callOptions ?? {}, transport, known);
  const methods = Object.entries(protocol.methods).map(([name, method]) => [name, call(method)]);
  return Object.fromEntries(methods) as Client<P>;
}

async function callMethod(
  method: Method,
  request: unknown,
  call: CallOptions | UploadOptions,
  transport: Transport,
  options: KnownOptions,
): Promise<unknown> {
  const { address } = transport;
  const peer = options.plugin === undefined ? address : `plugin "${options.plugin}" at ${address}`;
  const subject = `${method.path} on ${peer}`;
  const timeoutMs = call.timeoutMs ?? options.methodTimeoutsMs?.[method.path] ?? options.timeoutMs ?? method.timeoutMs;
  const deadline = createDeadline(timeoutMs, subject, call.signal);
  const upload = "body" in call ? watchUpload(call.body, deadline) : undefined;
  let streaming = false;
  try {
    const reply = await transport.send(toWire(method, request, upload?.body, deadline, options));
    const answer = await readReply(method, reply, deadline, subject, options, address);
    streaming = answer instanceof Readable;
    return answer;
  } catch (error) {
    if (upload?.failure !== undefined) throw upload.failure.error;
    if (deadline.aborted && !saysMore(error, deadline.reason as CleatError)) throw deadline.reason;
    throw options.plugin === undefined ? error : withPlugin(error, method, options.plugin);
  } finally {
    if (!streaming) deadline.release();
  }
}

async function readAnswer({ body }: WireReply, maxBytes: number, subject: string): Promise<Uint8Array> {
  try {
    return await readBounded(body, maxBytes, `answer of ${subject}`);
  } catch (error) {
    if (error instanceof CleatError) throw error;
    const message = `${subject} broke off in the middle of its answer: ${String(error)}`;
    throw new TransportError("UNAVAILABLE", message, { reachedPeer: true, cause: error });
  }
}

/** A transport knows the address only. */
function withPlugin(error: unknown, { path }: Method, plugin: string): unknown {
  if (!(error instanceof TransportError) || error.message.startsWith(path)) return error;
  const { code, reachedPeer } = error;
  return new TransportError(code, `${path} on plugin "${plugin}": ${error.message}`, { reachedPeer, cause: error });
}

/** Says more than that the deadline has passed: the plugin's own answer; that nobody was reached until then. */
function saysMore(error: unknown, reason: CleatError): boolean {
  if (error instanceof RemoteError) return true;
  const unreached = error instanceof TransportError && error.code === "UNAVAILABLE" && !error.reachedPeer;
  return unreached && reason.code === "DEADLINE_EXCEEDED";
}

function toWire(
  method: Method,
  request: unknown,
  upload: AsyncIterable<Uint8Array> | undefined,
  deadline: Deadline & GivingUp,
  options: KnownOptions,
): WireRequest {
  const subject = `request to ${method.path}`;
  if (method.framing !== "upload") {
    const body = encodeGoJson(method.request, request, subject);
    return new OutgoingCall(method, { query: {}, body }, deadline, options);
  }
  if (upload === undefined) throw new CleatError("INVALID_ARGUMENT", `${subject} lacks its body`);
  const query = encodeValue(method.request, request, subject) as Record<string, string>;
  return new OutgoingCall(method, { query, body: upload }, deadline, options);
}

async function readReply(
  method: Method,
  reply: WireReply,
  deadline: Deadline,
  subject: string,
  options: KnownOptions,
  address: string,
): Promise<unknown> {
  const origin = { plugin: options.plugin ?? address, method: method.path, httpStatus: reply.status };
  if (reply.status !== 200) {
    const failure = parseFailure(await readAnswer(reply, maxFailureBytesOf(options), subject));
    const unknownMethod = reply.status === 404 && failure.code === "UNKNOWN";
    throw new RemoteError(unknownMethod ? "UNIMPLEMENTED" : failure.code, failure.message, origin);
  }
  if (method.framing === "download") {
    const stream = reply.body instanceof Readable ? reply.body : Readable.from([reply.body]);
    return guardStream(stream, deadline, subject);
  }
  const bytes = await readAnswer(reply, maxReplyBytesOf(method, options), subject);
  const value = parseGoJson(bytes, `answer of ${subject}`, "DATA_LOSS");
  const failure = failureIn(value, options.failureField);
  if (failure !== undefined) throw new RemoteError(failure.code, failure.message, origin);
  return decodeValue(method.response, value, `answer of ${subject}`, "DATA_LOSS");
}

/**
 * Counts the time in which the peer takes a chunk, not that in which the caller makes one; keeps the caller's own
 * failure.
 */
function watchUpload(source: AsyncIterable<Uint8Array>, deadline: Deadline) {
  const watched: { body: AsyncIterable<Uint8Array>; failure: { error: unknown } | undefined } = {
    body: read(),
    failure: undefined,
  };
  async function* read() {
    let taken = false; // what is thrown while the peer takes a chunk is the transport's failure, not the source's
    try {
      deadline.pause();
      for await (const chunk of source) {
        taken = true;
        deadline.start();
        yield chunk;
        deadline.pause();
        taken = false;
      }
    } catch (error) {
      if (!taken) watched.failure = { error };
      throw error;
    } finally {
      deadline.start();
    }
  }
  return watched;
}
