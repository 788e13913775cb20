import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { finished, type Readable } from "node:stream";
import type { DescriptorWriting, Sink } from "../../protocol/kit.ts";
import { descriptorOf } from "../wire/connection.ts";

/**
 * Answers with a stream whose maker writes it to the socket's descriptor itself. Where it breaks off, so does the
 * connection: without the last chunk no client takes the stream for complete.
 */
export function answerFromMaker(body: Readable & DescriptorWriting, response: ServerResponse): void {
  const letGo = finished(response, (error) => {
    if (error) body.on("error", ignore).destroy(error);
  });
  body.writeTo(createSink(response)).then(
    () => response.end(),
    (error: Error) => response.destroy(error),
  );
  response.once("close", letGo);
}

/**
 * Whether the answer goes out in chunks, by a socket of the kernel's, and none before it is still to go. Its head is
 * there, and not sent.
 */
export function takesFromMaker(body: Readable, response: ServerResponse): body is Readable & DescriptorWriting {
  const { socket } = response;
  if (!("writeTo" in body) || socket === null || (socket as Socket & { encrypted?: boolean }).encrypted === true)
    return false;
  return response.chunkedEncoding && descriptorOf(socket) !== undefined;
}

function createSink(response: ServerResponse): Sink {
  /** Resolves also when the connection is closed. */
  const untilTaken = (write: (done: () => void) => void): Promise<void> =>
    new Promise((resolve) => {
      const settle = (): void => {
        response.off("close", settle);
        resolve();
      };
      if (response.destroyed || response.closed) return resolve();
      response.once("close", settle);
      write(settle);
    });
  return {
    write: (bytes) =>
      untilTaken((done) => {
        if (response.write(bytes)) done();
        else response.once("drain", done);
      }),
    writeFramed: (bytes) =>
      untilTaken((done) => {
        if (response.socket === null) done();
        else response.socket.write(bytes, done);
      }),
    async flush() {
      response.flushHeaders();
      await untilTaken((done) => {
        if (response.socket === null) done();
        else response.socket.write("", done);
      });
      const { socket } = response;
      return socket === null || socket.destroyed ? undefined : descriptorOf(socket);
    },
  };
}

function ignore(): void {}
