import type { Socket } from "node:net";
import { recordedBytes, type RecordedBody, type RecordedRequest } from "../../src/host/index.ts";

export interface RawReply {
  readonly status: number;
  readonly body: Buffer;
}

/** Writes a recorded request byte for byte and reads the answer. The connection stays open for the next one. */
export async function callRaw(socket: Socket, request: RecordedRequest): Promise<RawReply> {
  socket.write(formatRequest(request));
  let received = Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, chunk]);
    const reply = parseReply(received);
    if (reply !== undefined) return reply;
  }
  throw new Error(`connection was closed after ${JSON.stringify(received.toString("latin1"))}`);
}

/** The bytes of a body; zeros in the place of those that were not kept. */
export function bytesOf(body: RecordedBody): Buffer {
  return body.sha256 === undefined ? recordedBytes(body) : Buffer.alloc(body.sizeBytes);
}

function formatRequest({ method, url, headers, body }: RecordedRequest): Buffer {
  const lines = [`${method} ${url} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`), "", ""];
  const isChunked = headers.some(([name, value]) => name === "Transfer-Encoding" && value === "chunked");
  const bytes = bytesOf(body);
  return Buffer.concat([Buffer.from(lines.join("\r\n"), "latin1"), isChunked ? toChunks(bytes) : bytes]);
}

function toChunks(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.byteLength.toString(16)}\r\n`), bytes, Buffer.from("\r\n0\r\n\r\n")]);
}

/** `undefined` while it is not whole. */
function parseReply(received: Buffer): RawReply | undefined {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const head = received.toString("latin1", 0, headEnd);
  const rest = received.subarray(headEnd + 4);
  const length = /^content-length: (\d+)$/im.exec(head)?.[1];
  const body = length === undefined ? joinChunks(rest) : takeBytes(rest, Number(length));
  return body && { status: Number(head.split(" ")[1]), body };
}

function takeBytes(bytes: Buffer, count: number): Buffer | undefined {
  return bytes.byteLength < count ? undefined : bytes.subarray(0, count);
}

function joinChunks(bytes: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    at = lineEnd + 2 + size + 2;
    if (bytes.byteLength < at) return undefined;
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(lineEnd + 2, at - 2));
  }
}
