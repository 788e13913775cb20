import { defaultMaxReplyBytes, type DownloadMethod, type Method } from "../../protocol/index.ts";
import type { Deadline, GivingUp } from "../wire/deadline.ts";
import type { BodyStream, WireRequest } from "../wire/wire.ts";

/**
 * A call as a client makes it. A class, as `IncomingCall` is: its signal is made when somebody asks for it. A transport
 * around another copies it (`{ ...request, signal }`): the copy has a signal, by which alone it is given up.
 */
export class OutgoingCall implements WireRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Uint8Array | BodyStream;
  readonly mediaType: string | undefined;
  readonly announced: string;
  readonly download: boolean;
  readonly maxReplyBytes: number | undefined;
  readonly maxFailureBytes: number;
  declare readonly signal: AbortSignal;
  readonly #deadline: Deadline & GivingUp;

  constructor(
    method: Method,
    { query, body }: Pick<WireRequest, "query" | "body">,
    deadline: Deadline & GivingUp,
    options: CallLimits & { readonly announced: string },
  ) {
    this.path = method.path;
    this.query = query;
    this.body = body;
    this.mediaType = method.framing === "upload" ? method.mediaType : undefined;
    this.announced = options.announced;
    this.download = method.framing === "download";
    this.maxReplyBytes = method.framing === "download" ? undefined : maxReplyBytesOf(method, options);
    this.maxFailureBytes = maxFailureBytesOf(options);
    this.#deadline = deadline;
    Object.defineProperty(this, "signal", ownSignal);
  }

  /** Not copied with the rest. */
  get givingUp(): GivingUp {
    return this.#deadline;
  }

  static signalOf(call: OutgoingCall): AbortSignal {
    return call.#deadline.signal;
  }
}

/** One for all calls, so that they have one shape. */
const ownSignal: PropertyDescriptor & ThisType<OutgoingCall> = {
  enumerable: true,
  get() {
    return OutgoingCall.signalOf(this);
  },
};

/** What a caller may have set for all methods. */
interface CallLimits {
  readonly maxReplyBytes?: number | undefined;
}

/** A failure becomes a message that somebody prints. */
const maxFailureBytes = 64 * 1024;

export function maxFailureBytesOf({ maxReplyBytes = maxFailureBytes }: CallLimits): number {
  return Math.min(maxReplyBytes, maxFailureBytes);
}

/** Of a method's answer that is read into memory. */
export function maxReplyBytesOf(method: Exclude<Method, DownloadMethod>, { maxReplyBytes }: CallLimits): number {
  return maxReplyBytes ?? method.maxReplyBytes ?? defaultMaxReplyBytes;
}
