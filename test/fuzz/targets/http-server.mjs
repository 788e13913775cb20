/**
 * The HTTP server, on a connection in memory that sends anything: it answers what it understands, hangs up on the rest,
 * and no implementation is called with what its schema does not allow.
 */
import assert from "node:assert/strict";
import { duplexPair, Readable } from "node:stream";

import { CleatError } from "#dist/errors/index.js";
import { graphDriverProtocol, pluginProtocol, volumeDriverProtocol } from "#dist/protocol/index.js";
import { createHandler, createHttpServer, implement } from "#dist/transport/index.js";

export const dictionary = [
  "POST /Plugin.Activate HTTP/1.1\r\n\r\n",
  "POST /GraphDriver.ApplyDiff?id=a&parent=b HTTP/1.1\r\n",
  "POST /GraphDriver.Diff HTTP/1.1\r\nContent-Length: 10\r\n\r\n",
  "Transfer-Encoding: chunked\r\n\r\n",
  "Content-Length: 2\r\n\r\n{}",
  "Content-Length: ",
  "Expect: 100-continue\r\n",
  "Connection: Upgrade\r\nUpgrade: h2c\r\n",
  "5\r\nhello\r\n0\r\n\r\n",
  "ffffffff\r\n",
  '{"ID":"a"}',
  "%00",
  "%ff",
  "//",
  "GET ",
  "CONNECT a:1 HTTP/1.1\r\n\r\n",
  "\r\n",
];
export const seeds = [
  "POST /Plugin.Activate HTTP/1.1\r\nHost: \r\n\r\n",
  'POST /GraphDriver.Create HTTP/1.1\r\nContent-Length: 22\r\n\r\n{"ID":"a","Parent":""}',
  "POST /GraphDriver.ApplyDiff?id=a&parent=b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  'POST /GraphDriver.Diff HTTP/1.1\r\nContent-Length: 10\r\n\r\n{"ID":"a"}POST /VolumeDriver.List HTTP/1.1\r\n\r\n',
  'POST /VolumeDriver.Create HTTP/1.1\r\nContent-Length: 29\r\n\r\n{"Name":"n","Opts":{"a":"b"}}',
];

let unforeseen;
const logger = { debug() {}, info() {}, warn() {}, error: ({ err }) => (unforeseen ??= err) };

const methods = {
  json: async () => {
    throw new CleatError("FAILED_PRECONDITION", "not here");
  },
  async upload(_, { body }) {
    try {
      for await (const chunk of body) assert.ok(chunk.length > 0);
    } catch (error) {
      assert.equal(error.code, "CANCELLED"); // the peer hung up
    }
    throw new CleatError("FAILED_PRECONDITION", "not here");
  },
  download: async () => Readable.from([Buffer.from("answer")]),
};
const services = [pluginProtocol, graphDriverProtocol, volumeDriverProtocol].map((protocol) =>
  implement(
    protocol,
    Object.fromEntries(Object.entries(protocol.methods).map(([name, { framing }]) => [name, methods[framing]])),
  ),
);
const server = createHttpServer(createHandler(services, { logger }));

/** It sends in two pieces and then no more; the server hangs up when it has nothing more to say. */
export async function run(input) {
  unforeseen = undefined;
  const [theirs, ours] = duplexPair();
  server.emit("connection", ours);
  const answers = [];
  const ended = new Promise((resolve) =>
    theirs
      .on("data", (bytes) => answers.push(bytes))
      .on("end", resolve)
      .on("close", resolve),
  );
  const at = input.length >> 1;
  theirs.write(input.subarray(0, at));
  theirs.end(input.subarray(at));
  ours.on("error", () => {});
  await Promise.race([ended, silence(theirs)]);
  theirs.destroy();
  ours.destroy();
  const text = Buffer.concat(answers).toString("latin1");
  assert.ok(text === "" || text.startsWith("HTTP/1.1 "), `it answers ${text.slice(0, 100)}`);
  if (unforeseen !== undefined) throw unforeseen;
}

/** Some turns of the event loop in which nothing comes: a request that is not whole has no answer. */
async function silence(stream) {
  for (let turns = 0; turns < 20; turns++) {
    const before = stream.readableLength;
    await new Promise((resolve) => setImmediate(resolve));
    if (stream.readableLength !== before) turns = 0;
  }
}
