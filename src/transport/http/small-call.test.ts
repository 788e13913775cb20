import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import type { Client } from "../../protocol/index.ts";
import { createClient, createHttpTransport, type Transport } from "../index.ts";
import { protocol, withResolvers } from "./transports.test.support.ts";

it("goes out in one write, and its answer is read where it ends", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-small-call-"));
  const address = { unix: join(folder, "s") };
  const requests: string[] = [];
  const server = createServer((socket) => {
    socket.on("data", (bytes) => {
      requests.push(bytes.toString());
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"Text":\r\n');
      socket.write('5\r\n"é"}\r\n0\r\n\r\n');
    });
  });
  await once(server.listen(address.unix), "listening");
  const transport = createHttpTransport(address);
  const client = createClient(protocol, transport);
  expect(await client.echo({ Text: "é" })).toEqual({ Text: "é" });
  expect(await client.echo({ Text: "" })).toEqual({ Text: "é" });
  await transport.close();
  server.close();
  await rm(folder, { recursive: true });
  const head = (sizeBytes: number): string =>
    "POST /Test.Echo HTTP/1.1\r\nAccept: application/vnd.docker.plugins.v1.1+json\r\n" +
    `Content-Type: application/vnd.docker.plugins.v1.1+json\r\nContent-Length: ${sizeBytes}\r\n` +
    "Host: plugin.moby.localhost\r\nConnection: keep-alive\r\n\r\n";
  expect(requests).toEqual([`${head(13)}{"Text":"é"}`, `${head(11)}{"Text":""}`]);
});

it("comes over another connection where the peer has talked out of turn, or has hung up", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-small-call-"));
  const address = { unix: join(folder, "s") };
  const answer = (text: string): string => `HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"Text":"${text}"}`;
  const behind = [(socket: Socket) => socket.write(answer("x")), (socket: Socket) => socket.end(), () => {}];
  let connections = 0;
  const server = createServer((socket) => {
    const leave = behind[connections++]!;
    socket.on("error", () => {});
    socket.once("data", () => socket.write(answer(""), () => leave(socket)));
    socket.once("close", () => closed.shift()?.resolve());
  });
  const closed = [withResolvers<void>(), withResolvers<void>()];
  const waits = closed.map(({ promise }) => promise);
  await once(server.listen(address.unix), "listening");
  const transport = createHttpTransport(address);
  const client = createClient(protocol, transport);
  for (const wait of [...waits, undefined]) {
    expect(await client.echo({ Text: "" })).toEqual({ Text: "" });
    await wait;
  }
  expect(connections).toBe(3);
  await transport.close();
  server.close();
  await rm(folder, { recursive: true });
});

it("reads no more of a failure than becomes a message, however much a success may be", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-small-call-"));
  const address = { unix: join(folder, "s") };
  let sentBytes = 0;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write("HTTP/1.1 500 Internal Server Error\r\nTransfer-Encoding: chunked\r\n\r\n");
      const more = (): void => {
        while (sentBytes < 2 ** 25 && socket.writable) {
          sentBytes += 2 ** 16;
          if (!socket.write(`10000\r\n${"x".repeat(2 ** 16)}\r\n`)) break;
        }
      };
      socket.on("drain", more);
      more();
    });
  });
  await once(server.listen(address.unix), "listening");
  const transport = createHttpTransport(address);
  const call = createClient(protocol, transport).echo({ Text: "" });
  await expect(call).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  expect(sentBytes).toBeLessThan(2 ** 22);
  await transport.close();
  server.close();
  await rm(folder, { recursive: true });
});

/** A peer that does `serve` with each connection, and a client of it. */
async function withPeer(
  serve: (socket: Socket) => void,
  use: (client: Client<typeof protocol>, sockets: readonly Socket[], transport: Transport) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "cleat-small-call-"));
  const address = { unix: join(folder, "s") };
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  await once(server.listen(address.unix), "listening");
  const transport = createHttpTransport(address);
  try {
    await use(createClient(protocol, transport), sockets, transport);
  } finally {
    await transport.close();
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(folder, { recursive: true });
  }
}

const answerEach =
  (...headers: readonly string[]) =>
  (socket: Socket): void => {
    const lines = ["HTTP/1.1 200 OK", "Content-Length: 11", ...headers];
    socket.on("data", () => socket.write(`${lines.join("\r\n")}\r\n\r\n{"Text":""}`));
  };

it.each([11, 1_000_000])("of %i bytes is not lost on connections whose peer has hung up unnoticed", (sizeBytes) =>
  withPeer(answerEach(), async (client, sockets) => {
    await Promise.all([client.echo({ Text: "" }), client.echo({ Text: "" }), client.echo({ Text: "" })]);
    for (const socket of sockets) socket.destroy();
    const answer = client.echo({ Text: "x".repeat(sizeBytes) }); // in the same turn, in which no end is read
    expect(await answer).toEqual({ Text: "" });
    expect(sockets).toHaveLength(4);
  }),
);

it("is not sent again where the peer may have read it", () =>
  withPeer(answerEach(), async (client, sockets) => {
    await client.echo({ Text: "" });
    sockets[0]!.removeAllListeners("data").once("data", () => sockets[0]!.destroy());
    await expect(client.echo({ Text: "" })).rejects.toMatchObject({ code: "UNAVAILABLE", reachedPeer: true });
    expect(sockets).toHaveLength(1);
  }));

it("goes over no connection that the peer is about to close, as it has said", () =>
  withPeer(answerEach("Keep-Alive: timeout=5"), async (client, sockets) => {
    const now = vi.spyOn(performance, "now").mockReturnValue(0);
    for (const [ms, connections] of [
      [0, 1],
      [3_999, 1],
      [7_998, 1],
      [11_998, 2],
      [12_000, 2],
    ] as const) {
      now.mockReturnValue(ms);
      await client.echo({ Text: "" });
      expect(sockets).toHaveLength(connections);
    }
  }));

it("fails at once where the peer reads no more of it and says that it will not answer", () =>
  withPeer(
    (socket) => socket.pause().end(),
    async (client) => {
      const call = client.echo({ Text: "x".repeat(5_000_000) });
      await expect(call).rejects.toMatchObject({ code: "UNAVAILABLE", reachedPeer: true });
    },
  ));

it("has no path that is more than a path", () =>
  withPeer(answerEach(), async (_, sockets, transport) => {
    const call = transport.send({
      path: "/Test.Echo HTTP/1.1\r\nHost: other\r\n\r\n",
      query: {},
      body: Buffer.from("{}"),
      maxReplyBytes: 100,
      signal: new AbortController().signal,
    });
    await expect(call).rejects.toMatchObject({ code: "ERR_UNESCAPED_CHARACTERS" });
    expect(sockets).toHaveLength(0);
  }));
