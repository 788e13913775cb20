import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createClient, createHttpTransport } from "../index.ts";
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
