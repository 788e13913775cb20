/** What passes through the proxy passes as it is, and is told as it was. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { recordedBytes } from "../index.ts";
import {
  connectEngine,
  exchanges,
  proxy,
  proxyPath,
  received,
  receives,
  recorded,
  startHttpPlugin,
  startRawPlugin,
  untilStill,
} from "./recording-proxy.test.support.ts";

const activate =
  "POST /Plugin.Activate HTTP/1.1\r\nHost: \r\nUser-Agent: Go-http-client/1.1\r\ncontent-LENGTH: 0\r\n" +
  "Accept: application/vnd.docker.plugins.v1.2+json\r\n\r\n";

async function call(agent: Agent, body: Buffer, path = "/Test.Echo") {
  const request = httpRequest({ socketPath: proxyPath(), method: "POST", path, agent });
  request.end(body);
  const [response] = await once(request, "response");
  return await buffer(response);
}

describe("what passes", () => {
  it("is every byte as it was sent, both ways", async () => {
    const answer = "HTTP/1.1 200 Fine, thanks\r\nX-Odd:  spaced \r\nContent-Length: 2\r\nconnection: CLOSE\r\n\r\n{}";
    const seen: string[] = [];
    await startRawPlugin((plugin) => {
      plugin.on("data", (chunk) => {
        seen.push(chunk.toString("latin1"));
        if (seen.join("") === activate) plugin.end(answer);
      });
    });
    const engine = await connectEngine();
    for (const half of [activate.slice(0, 25), activate.slice(25)]) engine.write(half);
    expect(await received(engine)).toBe(answer);
    expect(seen.join("")).toBe(activate);
    expect(exchanges).toEqual([
      {
        startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        durationMs: expect.any(Number),
        request: {
          method: "POST",
          url: "/Plugin.Activate",
          headers: [
            ["Host", ""],
            ["User-Agent", "Go-http-client/1.1"],
            ["content-LENGTH", "0"],
            ["Accept", "application/vnd.docker.plugins.v1.2+json"],
          ],
          body: { sizeBytes: 0, text: "" },
        },
        response: {
          status: 200,
          headers: [
            ["X-Odd", "spaced"],
            ["Content-Length", "2"],
            ["connection", "CLOSE"],
          ],
          body: { sizeBytes: 2, text: "{}" },
        },
      },
    ]);
  });

  it("keeps a connection for 200 calls, and as many to the plugin as the engine has", async () => {
    let connections = 0;
    const plugin = await startHttpPlugin((request, response) => void request.pipe(response));
    plugin.on("connection", () => connections++);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let n = 1; n <= 200; n++) {
      expect((await call(agent, Buffer.from(`call ${n}`))).toString()).toBe(`call ${n}`);
      expect(await recorded(n)).toMatchObject({ request: { body: { text: `call ${n}` } }, response: { status: 200 } });
    }
    expect(connections).toBe(1);
    expect(exchanges).toHaveLength(200);
    agent.destroy();
  });

  it("is what is not HTTP, too", async () => {
    await startRawPlugin((plugin) => plugin.once("data", () => plugin.end("pong\n")));
    const engine = await connectEngine();
    engine.write("ping\n");
    expect(await received(engine)).toBe("pong\n");
    expect(exchanges).toEqual([]);
  });

  it("tells of an answer that is not HTTP", async () => {
    await startRawPlugin((plugin) => plugin.once("data", () => plugin.end("SSH-2.0-OpenSSH\n")));
    const engine = await connectEngine();
    engine.write(activate);
    expect(await received(engine)).toBe("SSH-2.0-OpenSSH\n");
    expect(exchanges).toMatchObject([
      {
        failure: 'before the answer: plugin sent what cannot be read: status line "SSH-2.0-OpenSSH" is not HTTP/1.1',
      },
    ]);
  });
});

describe("bodies", () => {
  it("are recorded as text or bytes, whole or with their hash", async () => {
    await startHttpPlugin((request, response) => void request.pipe(response), 1_000);
    const agent = new Agent();
    const bodies = [
      Buffer.from("grüße"),
      Buffer.from("\u{feff}marked"),
      Buffer.from([0xff, 0xfe, 1]),
      Buffer.alloc(700),
      randomBytes(1_000),
      randomBytes(1_001),
      Buffer.from("é".repeat(700)),
      Buffer.from(`x${"é".repeat(700)}`),
    ];
    for (const [index, sent] of bodies.entries()) {
      expect(await call(agent, sent)).toEqual(sent);
      const { request, response } = await recorded(index + 1);
      for (const body of [request.body, response?.body]) {
        expect(body?.sizeBytes).toBe(sent.byteLength);
        const kept = recordedBytes(body as NonNullable<typeof body>);
        expect(sent.subarray(0, kept.byteLength)).toEqual(kept);
        const isWhole = sent.byteLength <= 1_000;
        expect(kept.byteLength).toBe(isWhole ? sent.byteLength : index === 7 ? 999 : 1_000);
        expect(body?.sha256).toBe(isWhole ? undefined : createHash("sha256").update(sent).digest("hex"));
      }
    }
    expect(exchanges.map(({ request }) => "text" in request.body)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
      true,
      true,
    ]);
  });

  it("hold the engine back when the plugin reads slowly, and arrive whole", async () => {
    let read = () => {};
    const arrived = createHash("sha256");
    await startHttpPlugin((request, response) => {
      read = () => {
        request.on("data", (chunk: Buffer) => arrived.update(chunk));
        request.once("end", () => response.end("{}"));
      };
    });
    const chunk = randomBytes(65_536);
    const sent = createHash("sha256");
    const request = httpRequest({ socketPath: proxyPath(), method: "POST", path: "/GraphDriver.ApplyDiff?id=a" });
    let sentBytes = 0;
    const send = async () => {
      for (; sentBytes < 10_485_760; sentBytes += chunk.byteLength) {
        sent.update(chunk);
        if (!request.write(chunk)) await once(request, "drain");
      }
      request.end();
    };
    const sending = send();
    expect(await untilStill(() => sentBytes)).toBeLessThan(3_000_000);
    read();
    const [response] = await once(request, "response");
    expect((await buffer(response)).toString()).toBe("{}");
    await sending;
    const sha256 = sent.digest("hex");
    expect(arrived.digest("hex")).toBe(sha256);
    const { body } = (await recorded()).request;
    expect(body).toMatchObject({ sizeBytes: 10_485_760, sha256 });
    expect(recordedBytes(body).byteLength).toBe(65_536);
  });

  it("hold the plugin back when the engine reads slowly", async () => {
    let sentBytes = 0;
    await startHttpPlugin((_, response) => {
      const send = () => {
        while (sentBytes < 10_485_760) {
          sentBytes += 65_536;
          if (!response.write(Buffer.alloc(65_536))) return;
        }
        response.end();
      };
      response.on("drain", send);
      send();
    });
    const request = httpRequest({ socketPath: proxyPath(), method: "POST", path: "/GraphDriver.Diff" }).end();
    const [response] = await once(request, "response");
    expect(await untilStill(() => sentBytes)).toBeLessThan(3_000_000);
    expect((await buffer(response)).byteLength).toBe(10_485_760);
    expect((await recorded()).response?.body.sizeBytes).toBe(10_485_760);
  });
});

describe("closing", () => {
  it("lets running calls finish, closes idle connections, and accepts no more", async () => {
    let answer = () => {};
    const called = new Promise<void>((resolve) => {
      void startHttpPlugin((request, response) => {
        answer = () => response.end("late");
        request.resume().once("end", resolve);
      });
    });
    await untilStill(() => Number(proxy?.server.listening ?? false));
    const idle = await connectEngine();
    const busy = await connectEngine();
    busy.write(activate);
    await called;
    const closed = proxy.close();
    expect(await received(idle)).toBe("");
    answer();
    expect(await received(busy)).toContain("late");
    expect(await closed).toBe(0);
    expect(exchanges).toMatchObject([{ response: { body: { text: "late" } } }]);
  });

  it("breaks off what has not finished in time", async () => {
    const called = new Promise<void>((resolve) => {
      void startRawPlugin((plugin) => void receives(plugin, "Test.Next").then(() => resolve()));
    });
    await untilStill(() => Number(proxy?.server.listening ?? false));
    const engine = await connectEngine();
    engine.write(`${activate}POST /Test.Next HTTP/1.1\r\n\r\n`);
    await called;
    expect(await proxy.close(20)).toBe(1);
    expect(await received(engine)).toBe("");
    expect(exchanges.map(({ request, failure }) => [request.url, failure])).toEqual([
      ["/Plugin.Activate", "before the answer: trace ended"],
      ["/Test.Next", "before the answer: trace ended"],
    ]);
  });
});

it("reads requests that are sent before their turn, and answers in between", async () => {
  await startRawPlugin((plugin) => {
    plugin.once("data", () =>
      plugin.write(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\nContent-Length: 9\n\n" +
          "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: " +
          "1\r\n\r\nHTTP/1.0 200\r\n\r\nrest",
      ),
    );
    plugin.once("end", () => plugin.end());
  });
  const engine = await connectEngine();
  const paths = ["POST /1", "HEAD /2", "GET /3", "POST /4?a b"];
  engine.write(paths.map((line) => `${line} HTTP/1.1\r\n\r\n`).join(""));
  await receives(engine, "rest");
  engine.destroy();
  await recorded(4);
  expect(
    exchanges.map(({ request, response, failure }) => [request.url, response?.status, response?.body, failure]),
  ).toEqual([
    ["/1", 204, { sizeBytes: 0, text: "" }, undefined],
    ["/2", 200, { sizeBytes: 0, text: "" }, undefined],
    ["/3", 404, { sizeBytes: 3, text: "abc" }, undefined],
    ["/4?a b", 200, { sizeBytes: 4, text: "rest" }, "in the middle of the answer: engine closed its connection"],
  ]);
});
