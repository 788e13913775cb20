import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Exchange } from "../index.ts";
import { createConnectionRecorder } from "./connection-recorder.ts";

const requests = [
  "POST /1?id=a b HTTP/1.1\r\nHost: \r\n\r\n",
  "POST /2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nA;ext\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n",
  "\r\nPOST /3 HTTP/1.1\ncontent-length: 4\n\n\r\n\r\n",
];
const answers = [
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
  'HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{"Err"\r\n5\r\n:"x"}\r\n0\r\nA: b\r\n\r\n',
  "HTTP/1.1 200\r\n\r\nuntil the end",
];

function record(parts: readonly (readonly ["engine" | "plugin", string])[]): Exchange[] {
  const exchanges: Exchange[] = [];
  const recorder = createConnectionRecorder(1_000, (exchange) => exchanges.push(exchange));
  for (const [from, text] of parts) {
    if (from === "engine") recorder.fromEngine(Buffer.from(text));
    else recorder.fromPlugin(Buffer.from(text));
  }
  recorder.pluginEnded();
  recorder.broke("it ended");
  return exchanges;
}

const outlines = (exchanges: readonly Exchange[]) =>
  exchanges.map(({ request, response, failure }) => [
    request.url,
    "text" in request.body && request.body.text,
    response?.status,
    response && "text" in response.body && response.body.text,
    failure,
  ]);

describe("a connection's calls", () => {
  it("are the same however their bytes arrive", () => {
    const split = (text: string, sizes: readonly number[]) => {
      const parts: string[] = [];
      for (let at = 0, turn = 0; at < text.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        parts.push(text.slice(at, at + size));
        at += size;
      }
      return parts;
    };
    const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 });
    fc.assert(
      fc.property(sizes, sizes, (ofRequests, ofAnswers) => {
        const sent = split(requests.join(""), ofRequests).map((text) => ["engine", text] as const);
        const answered = split(answers.join(""), ofAnswers).map((text) => ["plugin", text] as const);
        expect(outlines(record([...sent, ...answered]))).toEqual([
          ["/1?id=a b", "", 200, "{}", undefined],
          ["/2", "0123456789x", 500, '{"Err":"x"}', undefined],
          ["/3", "\r\n\r\n", 200, "until the end", undefined],
        ]);
      }),
    );
  });

  it("wait for a request that goes on after its answer", () => {
    const begun = ["engine", "POST /1 HTTP/1.1\r\nContent-Length: 8\r\n\r\nhalf"] as const;
    const answer = ["plugin", "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"] as const;
    expect(outlines(record([begun, answer, ["engine", "half"]]))).toEqual([["/1", "halfhalf", 500, "", undefined]]);
    expect(outlines(record([begun, answer]))).toEqual([
      ["/1", "half", 500, "", "after the answer, in the middle of the request: it ended"],
    ]);
  });

  it("are bytes again after the protocol was switched", () => {
    const switched = "HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
    const calls = record([
      ["engine", "GET /1 HTTP/1.1\r\n\r\n"],
      ["plugin", switched],
      ["engine", "\x81\x05hello\n"],
      ["plugin", "anything\n\n"],
    ]);
    expect(outlines(calls)).toEqual([["/1", "", 101, "", undefined]]);
  });
});

describe("what is not HTTP/1.1", () => {
  const get = ["engine", "GET /1 HTTP/1.1\r\n\r\n"] as const;
  it.each([
    ["a chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", /chunk size "zz"/],
    [
      "a chunk size beyond counting",
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${"f".repeat(13)}\r\n`,
      /chunk size/,
    ],
    [
      "a chunk that goes on",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
      /longer than its size/,
    ],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", /Content-Length "1,2"/],
    ["a length below zero", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", /Content-Length "-1"/],
    ["a header without a name", "HTTP/1.1 200 OK\r\n: x\r\n\r\n", /header ": x"/],
    ["another protocol", "HTTP/2 200\r\n", /status line "HTTP\/2 200"/],
    ["a head without end", `HTTP/1.1 200 OK\r\nA: ${"x".repeat(65_536)}`, /head over 65536 bytes/],
    ["an endless line", "x".repeat(70_000), /head over 65536 bytes/],
  ])("is told of %s, once, and what follows is not read", (_, answer, message) => {
    const calls = record([get, ["plugin", answer], ["plugin", "HTTP/1.1 200 OK\r\n\r\n"], get]);
    expect(calls.map(({ failure }) => failure)).toEqual([expect.stringMatching(message)]);
  });

  it("is an answer to no request, and no reason to record one", () => {
    expect(record([["plugin", "HTTP/1.1 408 Request Timeout\r\n\r\n"], get])).toEqual([]);
  });
});
