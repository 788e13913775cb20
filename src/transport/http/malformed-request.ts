import type { Duplex } from "node:stream";
import { encodeFailure, pluginMediaType } from "../../protocol/index.ts";

/**
 * Answers what Node's HTTP parser refuses: 431 when the headers are too large, else 400. Nothing of such a request
 * reaches a handler, and nothing after it on its connection can be understood, so the connection ends.
 */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable || hasRunningCall(socket)) {
    socket.destroy(error);
    return;
  }
  const tooLarge = error.code === "HPE_HEADER_OVERFLOW";
  const body = encodeFailure({
    code: tooLarge ? "RESOURCE_EXHAUSTED" : "INVALID_ARGUMENT",
    message: tooLarge ? "request headers are over 16384 bytes" : `request is not HTTP/1.1: ${error.message}`,
  });
  const status = tooLarge ? "431 Request Header Fields Too Large" : "400 Bad Request";
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: ${pluginMediaType}\r\n` +
      `Content-Length: ${body.byteLength}\r\nConnection: close\r\n\r\n${body.toString()}`,
  );
}

/** A call runs on this connection: an answer in between would be taken for its own. Node keeps the response there. */
function hasRunningCall(socket: Duplex): boolean {
  // oxlint-disable-next-line no-underscore-dangle -- the name is Node's
  return "_httpMessage" in socket && Boolean(socket._httpMessage);
}
