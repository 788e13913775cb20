import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type ServerHttp2Stream } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { echoService, until } from "../grpc.test.support.ts";
import { createGrpcChannel } from "./channel.ts";
import { type ClientStream, openClientStream } from "./client-stream.ts";
import { aheadBytes, pumpRequests } from "./pump-requests.ts";

const frameBytes = 64 * 1024;
/** What HTTP/2 lets a peer send that has taken nothing yet. Source: RFC 9113, 6.9.2. */
const windowBytes = 65_535;

/** A call to a server that reads nothing until its stream is resumed. */
async function openCall(): Promise<{ call: ClientStream; served: ServerHttp2Stream } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "cleat-pump-"));
  const path = join(folder, "s.sock");
  const server = createServer();
  await once(server.listen(path), "listening");
  const channel = createGrpcChannel({ unix: path });
  const opened = once(server, "stream");
  const call = await openClientStream(channel, echoService.methods.gather, {});
  const [served] = (await opened) as [ServerHttp2Stream];
  served.on("error", () => {});
  return {
    call,
    served,
    async [Symbol.asyncDispose]() {
      call.cancel();
      await channel.close();
      server.close();
      await rm(folder, { recursive: true });
    },
  };
}

const unhurried = { whileBusy: <T>(work: () => Promise<T>) => work(), pause() {}, wait() {} };

/** Frames without end, or `count` of them, which are counted as they are taken. */
function createSource(count = Infinity) {
  const source = { taken: 0, frames };
  async function* frames() {
    while (source.taken < count) {
      source.taken++;
      yield Buffer.alloc(frameBytes, source.taken);
    }
  }
  return source;
}

const asItIs = (frame: Buffer) => frame;

it("writes ahead of a peer that takes nothing, as far as it says, and goes on when that takes something", async () => {
  await using opened = await openCall();
  const source = createSource();
  const pump = pumpRequests(opened.call, source.frames(), asItIs, unhurried);
  const most = Math.ceil((aheadBytes + windowBytes) / frameBytes) + 1;
  await until(() => source.taken >= Math.floor(aheadBytes / frameBytes));
  await delay(100);
  expect(source.taken).toBeLessThanOrEqual(most);
  expect(opened.call.stream.writableLength).toBeLessThan(aheadBytes + frameBytes);
  opened.served.resume();
  await until(() => source.taken > 10 * most);
  expect(opened.call.stream.writableLength).toBeLessThan(aheadBytes + frameBytes);
  pump.stop();
});

it("sends all that was written ahead, in order, before it ends its half", async () => {
  await using opened = await openCall();
  const source = createSource(100);
  pumpRequests(opened.call, source.frames(), asItIs, unhurried);
  const got: Buffer[] = [];
  for await (const chunk of opened.served as AsyncIterable<Buffer>) got.push(chunk);
  const expected = Array.from({ length: 100 }, (_, index) => Buffer.alloc(frameBytes, index + 1));
  expect(Buffer.concat(got).equals(Buffer.concat(expected))).toBe(true);
});

it("leaves its source when the peer is gone while it waits for it", async () => {
  await using opened = await openCall();
  let isLeft = false;
  const source = createSource();
  const frames = async function* () {
    try {
      yield* source.frames();
    } finally {
      isLeft = true;
    }
  };
  const pump = pumpRequests(opened.call, frames(), asItIs, unhurried);
  await until(() => source.taken >= Math.floor(aheadBytes / frameBytes));
  opened.served.session?.destroy();
  opened.call.stream.resume();
  await opened.call.ended.catch(() => {});
  pump.stop();
  await until(() => isLeft);
  expect(pump.failure).toBeUndefined();
});
