import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createRequestBody } from "./request-body.ts";

const upload = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";

/** Node has all of the body by then: what it has not handed on is gone with the connection. */
it.each(["iterated", "collected"])(
  "a body that came whole, and of which nothing was read, is not empty when %s",
  async (way) => {
    const folder = await mkdtemp(join(tmpdir(), "cleat-body-"));
    const server = createServer({ highWaterMark: 128 * 1024 }).listen(join(folder, "s"));
    try {
      await once(server, "listening");
      const peer = connect(join(folder, "s"));
      peer.write(upload);
      const [request] = (await once(server, "request")) as [IncomingMessage];
      request.on("error", () => {});
      while (!request.complete) await new Promise(setImmediate);
      peer.destroy();
      await new Promise((resolve) => request.once("close", resolve));
      const body = createRequestBody(request);
      const read = way === "collected" ? body.collect?.(10, "body") : readAll(body);
      await expect(read).rejects.toMatchObject({ code: "CANCELLED" });
    } finally {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true });
    }
  },
);

async function readAll(body: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return pieces;
}
