import { defaultMaxReplyBytes, type DownloadMethod, type Method } from "../protocol/index.ts";
import type { Deadline, GivingUp } from "./deadline.ts";
import type { BodyStream, WireRequest } from "./wire.ts";

/** A call as a client makes it. A class, as `IncomingCall` is: its signal is made when somebody asks for it. */
export class OutgoingCall implements WireRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Uint8Array | BodyStream;
  readonly mediaType: string | undefined;
  readonly announced: string;
  readonly download: boolean;
  readonly maxReplyBytes: number | undefined;
  readonly givingUp: GivingUp;
  readonly #deadline: Deadline;

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
    this.givingUp = deadline;
    this.#deadline = deadline;
  }

  get signal(): AbortSignal {
    return this.#deadline.signal;
  }
}

/** What a caller may have set for all methods. */
interface CallLimits {
  readonly maxReplyBytes?: number | undefined;
}

/** Of a method's answer that is read into memory. */
export function maxReplyBytesOf(method: Exclude<Method, DownloadMethod>, { maxReplyBytes }: CallLimits): number {
  return maxReplyBytes ?? method.maxReplyBytes ?? defaultMaxReplyBytes;
}
