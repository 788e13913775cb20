import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ReplyReader } from "./reply-reader.ts";
import { timed } from "../../../test/patience.ts";

interface Reply {
  readonly status: number;
  readonly body: string;
}

const head = (...lines: readonly string[]): string =>
  `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;

const untilEnd = `${head("A: b")}hello`;

const replies: readonly (readonly [title: string, text: string, isReusable: boolean])[] = [
  ["of a length", `${head("Date: now", "Content-Length: 5")}hello`, true],
  ["of a length, in other letters", `${head("content-LENGTH:5 ", "x:")}hello`, true],
  ["that is empty", head("Content-Length: 0"), true],
  ["in chunks", `${head("Transfer-Encoding: Chunked")}3\r\nhel\r\n00A;x=y\r\nlo, a line\r\n0\r\n\r\n`, true],
  ["in chunks, with trailers", `${head("Transfer-Encoding: chunked")}1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n`, true],
  [
    "behind others that announce it",
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n${head("Content-Length: 1")}x`,
    true,
  ],
  ["that has no content", "HTTP/1.1 204 No Content\r\n\r\n", true],
  ["whose status has no reason", "HTTP/1.1 500 \r\nContent-Length: 1\r\n\r\nx", true],
  ["up to the connection's end", untilEnd, false],
  ["of a connection that closes", `${head("Connection: close", "Content-Length: 5")}hello`, false],
  ["behind a line too many", `\r\n\n${head("Content-Length: 1")}x`, true],
  ["of a length with zeros before it", `${head("Content-Length: 0000000000000000000001")}x`, true],
  ["in chunks of such a size", `${head("Transfer-Encoding: chunked")}00000000000000001\r\nx\r\n0\r\n\r\n`, true],
  ["in chunks with extensions", `${head("Transfer-Encoding: chunked")}1;a;b=c;d="e f"\r\nx\r\n0;a\r\n\r\n`, true],
  ["without content, of a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false],
  ["without content, in chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", false],
  ["of HTTP/1.0", "HTTP/1.0 404 Not Found\r\nContent-Length: 1\r\n\r\nx", false],
];

const refused: readonly (readonly [title: string, text: string])[] = [
  ["is of another protocol", "SSH-2.0-OpenSSH_9.2\r\n"],
  ["has no status", "HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n"],
  [
    "is both in chunks and of a length",
    `${head("Transfer-Encoding: chunked", "Content-Length: 1")}1\r\nx\r\n0\r\n\r\n`,
  ],
  ["has two lengths", `${head("Content-Length: 1", "Content-Length: 2")}xx`],
  ["has a length below none", head("Content-Length: -1")],
  ["has a length that is no number", head("Content-Length: 0x5")],
  ["has a length beyond all numbers", head(`Content-Length: ${"9".repeat(30)}`)],
  ["has a header without a name", head(": b")],
  ["has a space behind a header's name", head("Content-Length : 1")],
  ["has a line feed alone in its head", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"],
  ["has a zero byte in its head", head("A: b\0c")],
  ["has a chunk of no size", `${head("Transfer-Encoding: chunked")}\r\n\r\n`],
  ["has a chunk of a size below none", `${head("Transfer-Encoding: chunked")}-1\r\n\r\n`],
  ["has a chunk longer than its size", `${head("Transfer-Encoding: chunked")}1\r\nxyz\r\n0\r\n\r\n`],
  ["has a chunk longer than its size by what may be its end", `${head("Transfer-Encoding: chunked")}1\r\nxx`],
  ["has an extension that is not closed", `${head("Transfer-Encoding: chunked")}1;a="x\r\nx\r\n0\r\n\r\n`],
  ["has a malformed trailer", `${head("Transfer-Encoding: chunked")}0\r\nno header\r\n\r\n`],
  ["has a line feed alone in a trailer", `${head("Transfer-Encoding: chunked")}0\r\nA: b\nc\r\n\r\n`],
  ["tells a length behind its content", `${head("Transfer-Encoding: chunked")}0\r\nContent-Length: 5\r\n\r\n`],
  [
    "is behind one that closes the connection",
    `HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n${head("Content-Length: 0")}`,
  ],
  ["has headers without end", `HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(20_000)}`],
];

/** What Node takes, or lets grow. */
const refusedHereAlone: readonly (readonly [title: string, text: string])[] = [
  ["is of another version", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"],
  ["is in chunks, and a tab", `${head("Transfer-Encoding: chunked\t")}0\r\n\r\n`],
  ["is in another encoding", `${head("Transfer-Encoding: gzip")}x`],
  ["has a header in two lines", head("A: b", " c", "Content-Length: 0")],
  ["has an extension without a name", `${head("Transfer-Encoding: chunked")}1;;x\r\nx\r\n0\r\n\r\n`],
  ["switches to another protocol", "HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"],
  ["has trailers without end", `${head("Transfer-Encoding: chunked")}0\r\n${"A: b\r\n".repeat(20_000)}`],
  ["has the size of a chunk without end", `${head("Transfer-Encoding: chunked")}1;${"x".repeat(20_000)}`],
];

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const limits = { maxReplyBytes: 1_000, maxFailureBytes: 10 };

function read(text: string, cut = text.length): ReplyReader {
  const reader = new ReplyReader(limits);
  for (const piece of [text.slice(0, cut), text.slice(cut)]) {
    if (piece !== "") reader.take(Buffer.from(piece, "latin1"));
  }
  return reader;
}

describe("a reply", () => {
  it.each(replies)("%s is read wherever it was cut in two", async (_, text, isReusable) => {
    const expected = await readByNode(text);
    for (let cut = 1; cut <= text.length; cut++) {
      const reader = read(text, cut);
      reader.end();
      expect(reader).toMatchObject({ isWhole: true, isReusable, status: expected?.status });
      expect(String(reader.body)).toBe(expected?.body);
    }
  });

  it.each(replies)("%s is whole at its last byte, and not before", (_, text, isReusable) => {
    const reader = read(text.slice(0, -1));
    const isEndless = text === untilEnd;
    expect(reader.isWhole).toBe(false);
    reader.end();
    expect(reader.isWhole).toBe(isEndless);
    if (isEndless) return;
    reader.take(Buffer.from(text.slice(-1)));
    expect(reader).toMatchObject({ isWhole: true, isReusable });
  });

  it.each([...refused, ...refusedHereAlone])("that %s is refused wherever it was cut in two", (_, text) => {
    for (const cut of [1, text.length >> 1, text.length - 1, text.length]) expect(() => read(text, cut)).toThrow();
  });

  it.each(refused)("that %s is refused by Node, too", async (_, text) => {
    expect(await readByNode(text)).toBeUndefined();
  });

  it("says for how long its connection is kept, or nothing of it", () => {
    expect(read(head("Keep-Alive: timeout=5, max=9", "Content-Length: 0")).keptMs).toBe(5_000);
    expect(read(head("Keep-Alive: max=9, Timeout=0", "Content-Length: 0")).keptMs).toBe(0);
    expect(read(head("Keep-Alive: yes", "Content-Length: 0")).keptMs).toBe(Infinity);
    expect(read(head("Content-Length: 0")).keptMs).toBe(Infinity);
  });

  it.each([" ", "\t", "b "])("with a header of many %j takes no more time than another", timed, (text) => {
    const startedMs = performance.now();
    expect(read(head(`A:${text.repeat(1_500)}`, "Content-Length: 0")).isWhole).toBe(true);
    expect(() => read(head(`A:${text.repeat(1_500)}\x01`))).toThrow("malformed");
    expect(performance.now() - startedMs).toBeLessThan(1_500);
  });

  it("in single bytes with much between them keeps its content in memory, and not what is between", async () => {
    const reader = read(head("Transfer-Encoding: chunked"));
    const chunk = `1;${"x".repeat(1_000)}\r\ny\r\n`;
    const before = process.memoryUsage().arrayBuffers;
    for (let sent = 0; sent < 500; sent++) {
      const block = Buffer.alloc(65_536); // as much as Node reads at once
      reader.take(block.subarray(0, block.write(chunk, "latin1")));
    }
    await setImmediate();
    collectGarbage();
    await setImmediate();
    collectGarbage();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_000_000);
    reader.take(Buffer.from("0\r\n\r\n"));
    expect(String(reader.body)).toBe("y".repeat(500));
  });

  it("behind which there is more is taken, and its connection not used again", () => {
    expect(read(`${head("Content-Length: 1")}xHTTP/1.1`)).toMatchObject({ isWhole: true, isReusable: false });
  });

  it("over its limit is whole there, and its connection not used again", () => {
    const long = `\r\nContent-Length: 2000\r\n\r\n${"x".repeat(1_001)}`;
    expect(read(`HTTP/1.1 200 OK${long.slice(0, -1)}`).isWhole).toBe(false);
    expect(read(`HTTP/1.1 200 OK${long}`)).toMatchObject({ isWhole: true, isReusable: false });
    expect(read("HTTP/1.1 500 E\r\nContent-Length: 2000\r\n\r\n01234567890")).toMatchObject({ isWhole: true });
  });
});

let folder: string;
let answer: string;
const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", () => socket.end(answer, "latin1"));
});
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-reader-"));
  await once(server.listen(join(folder, "s")), "listening");
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

/** `undefined` where Node refuses it. */
async function readByNode(text: string): Promise<Reply | undefined> {
  answer = text;
  const call = request({ socketPath: join(folder, "s"), method: "POST", agent: false });
  call.on("error", () => {});
  try {
    const [response] = await once(call.end(), "response");
    return { status: response.statusCode, body: String(await buffer(response)) };
  } catch {
    return undefined;
  }
}
