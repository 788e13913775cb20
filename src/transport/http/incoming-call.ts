import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connection } from "../../protocol/index.ts";
import { connectionOf } from "../wire/connection.ts";
import type { BodyStream, WireRequest } from "../wire/wire.ts";
import { peerGone } from "./peer-gone.ts";

/**
 * A call as it came. A class, because its signal is made when somebody asks for it, as most calls end before: V8 would
 * keep a shape of its own for each literal with a getter, and collect them late.
 */
export class IncomingCall implements WireRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: BodyStream;
  readonly connection: Connection;
  readonly host: string | undefined;
  readonly #response: ServerResponse;
  #signal: AbortSignal | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, body: BodyStream) {
    const [path, search] = splitOnce(request.url ?? "", "?");
    this.path = path;
    this.query = search === "" ? noQuery : Object.fromEntries(new URLSearchParams(search));
    this.body = body;
    this.connection = connectionOf(request.socket);
    this.host = request.headers.host;
    this.#response = response;
  }

  get signal(): AbortSignal {
    return (this.#signal ??= signalOf(this.#response));
  }
}

const noQuery: Readonly<Record<string, string>> = {};

/** Aborts when the peer is gone before it has its answer. */
function signalOf(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const onClose = (): void => {
    if (!response.writableFinished) gone.abort(peerGone("before it had its answer"));
  };
  if (response.closed) onClose();
  else response.once("close", onClose);
  return gone.signal;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
