import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BodyServer, openBodyServer, patternOf } from "./lent-bodies.test.support.ts";
import { timed } from "../../../test/patience.ts";

const download = patternOf(20_000_000);

async function ask({ path }: BodyServer, agent: Agent | false = false): Promise<IncomingMessage> {
  const asked = request({ socketPath: path, path: "/download", method: "POST", agent });
  asked.end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  return answer;
}

describe("an answer that a thread writes to the socket", () => {
  let server: BodyServer;
  beforeAll(async () => {
    server = await openBodyServer({ download });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it("does not pass the event loop, and leaves the connection to the calls after it", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const before = server.writtenBytes();
    for (let round = 0; round < 3; round++) {
      expect((await buffer(await ask(server, agent))).equals(download)).toBe(true);
    }
    agent.destroy();
    // A ring, and what else is made before the head of the answer has left.
    expect(server.writtenBytes() - before).toBeLessThan(3 * 4_000_000);
  });

  it("is whole for who reads by fits and starts", async () => {
    const answer = await ask(server);
    const pieces: Buffer[] = [];
    for await (const piece of answer as AsyncIterable<Buffer>) {
      pieces.push(piece);
      if (pieces.length % 40 === 0) await pause(5);
    }
    expect(Buffer.concat(pieces).equals(download)).toBe(true);
  });

  it("keeps nobody waiting for who does not read, and is whole when he does", timed, async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(server)));
    const startMs = performance.now();
    for (let round = 0; round < 3; round++) {
      expect((await buffer(await ask(server))).equals(download)).toBe(true);
    }
    expect(performance.now() - startMs).toBeLessThan(5000);
    for (const answer of answers) expect((await buffer(answer)).equals(download)).toBe(true);
  });

  it("ends its job within 100 ms when nobody reads any more", timed, async () => {
    const answer = await ask(server);
    await once(answer, "readable");
    await pause(100); // the thread has written what there was room for
    const before = server.outcomes.length;
    const startMs = performance.now();
    answer.destroy();
    await expect.poll(() => server.outcomes.slice(before), { interval: 5 }).toMatchObject([{ code: "CANCELLED" }]);
    expect(performance.now() - startMs).toBeLessThan(100);
  });
});

it("an answer is whole, in whatever pieces its job writes it", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 3_000_000 }),
      fc.integer({ min: 500, max: 800_000 }),
      async (size, pieceBytes) => {
        await using server = await openBodyServer({ download: download.subarray(0, size), pieceBytes });
        expect((await buffer(await ask(server))).equals(download.subarray(0, size))).toBe(true);
      },
    ),
    { numRuns: 15 },
  );
});

it.each([0, 3_000_000, 15_000_000])(
  "an answer of which the job fails after %i bytes is broken off",
  async (failAfter) => {
    await using server = await openBodyServer({ download, failAfter });
    const answer = await ask(server);
    await expect(buffer(answer)).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(answer.complete).toBe(false);
    await expect.poll(() => server.outcomes).toMatchObject([{ code: "INTERNAL" }]);
  },
);

it("an answer to a client that knows no chunks is as it was", async () => {
  await using server = await openBodyServer({ download });
  const client = await server.connect();
  client.socket.removeAllListeners("data");
  client.socket.setEncoding("latin1");
  client.socket.write("POST /download HTTP/1.0\r\n\r\n");
  const bytes = Buffer.from(await buffer(client.socket).then(String), "latin1");
  expect(bytes.subarray(bytes.indexOf("\r\n\r\n") + 4).equals(download)).toBe(true);
});
