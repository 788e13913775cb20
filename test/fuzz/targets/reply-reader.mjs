/**
 * The reader of replies, beside Node's own parser: whatever way the bytes are cut, it takes, refuses or waits for the
 * same; what it takes, Node takes too, with the same status and content.
 */
import assert from "node:assert/strict";
import { HTTPParser } from "node:_http_common";

import { ReplyReader } from "#dist/transport/http/reply-reader.js";

export const dictionary = [
  "HTTP/1.1 200 OK\r\n",
  "HTTP/1.0 ",
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 204 No Content\r\n",
  "HTTP/1.1 304 Not Modified\r\n",
  "Content-Length: 5\r\n",
  "Content-Length:",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: ",
  "Connection: close\r\n",
  "Keep-Alive: timeout=5\r\n",
  "Upgrade: h2c\r\nConnection: Upgrade\r\n",
  "identity",
  "gzip, ",
  "\r\n\r\n",
  "\r\n",
  "\n",
  "\r",
  "\t",
  "0\r\n\r\n",
  "5\r\nhello\r\n",
  "5;a=b\r\n",
  ';a="b c"',
  "ffffffffffffffff\r\n",
  "00000000000000000",
  "\x7f",
  "\xe9",
];
export const seeds = [
  "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 5\r\n\r\nhello",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00a;x=y\r\n0123456789\r\n0\r\nA: b\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 \r\nContent-Length: 1\r\nConnection: close, x\r\n\r\nx",
  "HTTP/1.0 404 Not Found\r\nServer: a\r\n\r\nuntil the end",
  "HTTP/1.1 204 No Content\r\nKeep-Alive: timeout=5\r\n\r\n",
  "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
];

const limits = { maxReplyBytes: 2 ** 20, maxFailureBytes: 2 ** 20 };

export function run(input) {
  const ours = read([input]);
  assert.deepEqual(read([input.subarray(0, input.length >> 1), input.subarray(input.length >> 1)]), ours);
  if (input.length <= 2_000) assert.deepEqual(read(Array.from(input, (byte) => Buffer.of(byte))), ours);
  const theirs = readByNode(input);
  // What is refused here alone: other versions and encodings, a status below 100, control characters in a reason,
  // another protocol, more than the limits. None is to be waited for.
  if (ours === "refused") return;
  // What is wrong with a line is seen at its end.
  if (ours === "waiting" && theirs === "refused") return assert.equal(read([input, Buffer.from("\r\n")]), "refused");
  assert.deepEqual(ours === "waiting" ? ours : { status: ours.status, body: ours.body }, theirs);
}

function read(pieces) {
  const reader = new ReplyReader(limits);
  try {
    for (const piece of pieces) reader.take(piece);
    reader.end();
  } catch (error) {
    assert.ok(error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError), error);
    assert.ok(!error.message.includes("\n"), error.message);
    return "refused";
  }
  if (!reader.isWhole) return "waiting";
  const { status, body, isReusable, keptMs } = reader;
  assert.ok(keptMs >= 0);
  return { status, body: body.toString("latin1"), isReusable, keptMs };
}

/** As Node's client treats its parser. */
function readByNode(input) {
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.RESPONSE, {});
  let status = 0;
  let body = "";
  let isWhole = false;
  parser[HTTPParser.kOnHeaders] = () => {};
  parser[HTTPParser.kOnHeadersComplete] = (...[, , , , , code]) => {
    if (isWhole) return 1;
    status = code;
    return code < 200 ? 1 : 0;
  };
  parser[HTTPParser.kOnBody] = (bytes) => {
    if (!isWhole) body += bytes.toString("latin1");
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    isWhole ||= status >= 200;
  };
  const result = parser.execute(input);
  const failure = result instanceof Error ? result : parser.finish();
  parser.close();
  if (isWhole) return { status, body };
  return failure instanceof Error && failure.code !== "HPE_INVALID_EOF_STATE" ? "refused" : "waiting";
}
