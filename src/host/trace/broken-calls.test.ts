/** Whichever side breaks off, the other sees a broken call, and the record says who did. */
import { once } from "node:events";
import { type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import {
  connectEngine,
  exchanges,
  proxyPath,
  received,
  receives,
  recorded,
  startHttpPlugin,
  startProxy,
  startRawPlugin,
} from "./recording-proxy.test.support.ts";

const get = "POST /Test.Get HTTP/1.1\r\nHost: \r\nContent-Length: 2\r\n\r\n{}";

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

describe("an engine that goes away", () => {
  /** A plugin that has been called, and tells how its call ended. */
  async function startCalledPlugin(onCall: (request: IncomingMessage, response: ServerResponse) => void) {
    const called = withResolvers<void>();
    const ended = withResolvers<{ wholeRequest: boolean; wholeAnswer: boolean }>();
    await startHttpPlugin((request, response) => {
      request.on("error", () => {});
      response.once("close", () =>
        ended.resolve({ wholeRequest: request.complete, wholeAnswer: response.writableFinished }),
      );
      onCall(request, response);
      called.resolve();
    });
    return { called: called.promise, ended: ended.promise };
  }

  it("before its answer is gone for the plugin, at once", async () => {
    const { called, ended } = await startCalledPlugin((request) => request.resume());
    const engine = await connectEngine();
    engine.write(get);
    await called;
    engine.destroy();
    expect(await ended).toMatchObject({ wholeAnswer: false });
    expect(await recorded()).toMatchObject({
      request: { url: "/Test.Get", body: { text: "{}" } },
      failure: "before the answer: engine closed its connection",
    });
    expect(exchanges[0]?.response).toBeUndefined();
  });

  it.each([
    ["sized", "Content-Length: 100\r\n\r\nhalf"],
    ["chunked", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
  ])("in the middle of a %s upload leaves a broken upload", async (_, rest) => {
    const { called, ended } = await startCalledPlugin((request) => request.resume());
    const engine = await connectEngine();
    engine.write(`POST /Test.Upload HTTP/1.1\r\nHost: x\r\n${rest}`);
    await called;
    engine.destroy();
    expect(await ended).toEqual({ wholeRequest: false, wholeAnswer: false });
    expect(await recorded()).toMatchObject({
      request: { body: { text: "half", sizeBytes: 4 } },
      failure: "in the middle of the request: engine closed its connection",
    });
  });

  it("in the middle of a download stops the plugin", async () => {
    const { ended } = await startCalledPlugin((request, response) => {
      request.resume();
      const send = () => {
        while (response.write(Buffer.alloc(65_536)));
      };
      response.on("drain", send);
      send();
    });
    const engine = await connectEngine();
    engine.write(get);
    await once(engine, "data");
    engine.destroy();
    expect(await ended).toMatchObject({ wholeAnswer: false });
    expect((await recorded()).failure).toBe("in the middle of the answer: engine closed its connection");
  });
});

describe("a plugin that breaks off", () => {
  it.each([
    ["sized", "Content-Length: 100\r\n\r\nhalf"],
    ["chunked", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
  ])("in the middle of a %s answer leaves a broken answer, and never a whole one", async (_, rest) => {
    await startRawPlugin((plugin) => void plugin.once("data", () => plugin.end(`HTTP/1.1 200 OK\r\n${rest}`)));
    const request = httpRequest({ socketPath: proxyPath(), method: "POST" }).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    await expect(buffer(response)).rejects.toThrow("aborted");
    expect(response.complete).toBe(false);
    expect(await recorded()).toMatchObject({
      response: { status: 200, body: { text: "half" } },
      failure: "in the middle of the answer: plugin closed its connection",
    });
  });

  it("before it has answered costs the engine its connection", async () => {
    await startRawPlugin((plugin) => void plugin.once("data", () => plugin.destroy()));
    const engine = await connectEngine();
    engine.write(get);
    expect(await received(engine)).toBe("");
    expect((await recorded()).failure).toMatch(
      /^before the answer: (plugin closed its|connection to the plugin broke)/,
    );
  });

  it("in the middle of the request costs the engine its connection, and still delivers what was answered", async () => {
    await startRawPlugin((plugin) => {
      plugin.once("data", () => plugin.end("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    });
    const engine = await connectEngine();
    engine.write("POST /Test.Upload HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf");
    expect(await received(engine)).toContain("413");
    expect(await recorded()).toMatchObject({
      response: { status: 413 },
      failure: "after the answer, in the middle of the request: plugin closed its connection",
    });
  });

  it("after an answer that ends with its connection has answered", async () => {
    await startRawPlugin((plugin) => void plugin.once("data", () => plugin.end("HTTP/1.0 200 OK\r\n\r\nall of it")));
    const engine = await connectEngine();
    engine.write(get);
    expect(await received(engine)).toContain("all of it");
    expect(await recorded()).toMatchObject({ response: { body: { text: "all of it" } } });
    expect(exchanges[0]?.failure).toBeUndefined();
  });

  it("while nothing is under way ends the engine's connection and is not a call", async () => {
    let idle: Socket | undefined;
    await startRawPlugin((plugin) => {
      idle = plugin;
      plugin.once("data", () => plugin.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
    });
    const engine = await connectEngine();
    engine.write(get);
    await receives(engine, "{}");
    expect(engine.destroyed).toBe(false);
    idle?.end();
    expect(await received(engine)).toBe("");
    expect(exchanges).toHaveLength(1);
  });
});

describe("a plugin that is not there", () => {
  it("costs the engine its connection, as its own socket would, and may come later", async () => {
    await startProxy();
    const engine = await connectEngine();
    engine.write(get);
    expect(await received(engine)).toBe("");
    const { failure, response } = await recorded();
    expect(failure).toMatch(/^before the answer: plugin at unix:\/\/\S+ cannot be reached: connect ENOENT /);
    expect(response).toBeUndefined();
  });

  it("is not called for a connection that is kept for later", async () => {
    let connections = 0;
    await startRawPlugin((plugin) => {
      connections++;
      plugin.once("data", () => plugin.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
    });
    const spare = await connectEngine();
    const engine = await connectEngine();
    engine.write(get);
    await receives(engine, "{}");
    expect(connections).toBe(1);
    spare.write(get);
    await receives(spare, "{}");
    expect(connections).toBe(2);
  });
});
