import { constants, type ServerHttp2Stream } from "node:http2";
import type { ErrorCode } from "../../errors/index.ts";
import { encodeStatus, okStatus } from "../wire/status.ts";
import { createFrameWriter } from "../wire/write-frame.ts";

/** What a server sends on one call. After the end nothing is sent any more, whatever is called. */
export interface Reply {
  /** Resolves when there is room for more; also when the stream is closed. */
  send(frame: Uint8Array): Promise<void> | undefined;
  /** Ends the call with success, after one last message if there is one. */
  finish(frame?: Uint8Array): void;
  /** Ends it with a status; without headers before it, where nothing was sent yet. */
  fail(code: ErrorCode, message: string): void;
}

/** How long a peer may take to see that its call has ended. */
const patienceMs = 1_000;

const replyHeaders = { ":status": 200, "content-type": "application/grpc" } as const;

export function createReply(stream: ServerHttp2Stream): Reply {
  const write = createFrameWriter(stream);
  let trailers: Record<string, string> | undefined;

  const respond = () => {
    if (stream.headersSent || stream.destroyed || stream.closed) return;
    stream.respond(replyHeaders, { waitForTrailers: true });
    stream.once("wantTrailers", () => {
      stream.sendTrailers(trailers ?? encodeStatus("INTERNAL", "reply ended without a status"));
      stopReading();
    });
  };
  // What a peer still sends is for nobody. It is told to stop when it does not by itself; at once, Node 22 and later
  // would throw the status away with the rest of the stream.
  const stopReading = () => {
    if (stream.readableEnded) return;
    stream.resume();
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), patienceMs).unref();
    stream.once("close", () => clearTimeout(timer));
  };
  const isOver = () => trailers !== undefined || stream.destroyed || stream.closed;

  return {
    send(frame) {
      if (isOver()) return undefined;
      respond();
      return write(frame);
    },
    finish(frame) {
      if (isOver()) return;
      trailers = okStatus;
      respond();
      stream.end(frame);
    },
    fail(code, message) {
      if (isOver()) return;
      trailers = encodeStatus(code, message);
      if (stream.headersSent) return void stream.end();
      stream.respond({ ...replyHeaders, ...trailers }, { endStream: true });
      stopReading();
    },
  };
}
