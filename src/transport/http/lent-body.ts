import type { IncomingMessage } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { BodyFraming, Borrow, Borrower, Returned } from "../../protocol/kit.ts";
import { createChunkTracker } from "../../protocol/kit.ts";
import { createHeldReading, type HeldReading, readHeadBytes } from "./held-reading.ts";
import { peerGone } from "./peer-gone.ts";

/**
 * A body that whoever reads it may have from the socket's descriptor itself. Node's parser, which is the one that says
 * where a body ends and whether it is whole, is told in the end how much it has missed, in bytes that stand for those:
 * it never sees what went by.
 */
export interface LentBody {
  /** Whoever iterates wants more. */
  wanted(): void;
  /** `lend` of `LendingSource`. */
  lend(use: Borrow): Promise<boolean>;
  /** Nobody will borrow any more; all is as Node does it, once what is lent has come back. */
  end(): void;
}

/** Smaller bodies cost less by the way that they go. */
const leastBytes = 64 * 1024;
/** Whoever has iterated so far will not borrow, and reads faster when Node reads ahead. */
const mostIteratedBytes = 512 * 1024;

/**
 * To be called at the moment of the server's event. `undefined` for what is whole or small, and where it cannot be had:
 * behind TLS, behind another request, on a release of Node's that is made otherwise.
 */
export function createLentBody(request: IncomingMessage): LentBody | undefined {
  const start = startOf(request);
  if (start === undefined) return undefined;
  const { framing } = start;
  let receivedBytes = 0;
  let borrower: Borrower | undefined;
  let isLent = false;
  let isEnded = false;

  function onBytes(bytes: Uint8Array): void {
    if (request.complete) return end(); // they are the next call's
    receivedBytes += bytes.length;
    framing.push(bytes);
    if (receivedBytes > mostIteratedBytes) end();
    else if (receivedBytes >= leastBytes) reading?.hold();
  }

  function end(): void {
    isEnded = true;
    if (isLent) return; // what is injected comes first
    reading?.end();
    request.socket.off("close", onClose);
  }

  const onClose = (): void => borrower?.cutOff(peerGone("in the middle of its body"));

  const reading = createHeldReading(request, onBytes);
  if (reading === undefined) return undefined;
  request.socket.once("close", onClose);
  onBytes(start.bytes);

  return {
    wanted() {
      if (request.complete) end();
      else if (!isLent) reading.letGo();
    },

    async lend(use) {
      const descriptor = reading.descriptor();
      const place = framing.place();
      if (isEnded || request.complete || request.destroyed || descriptor === undefined || place === undefined)
        return false;
      reading.hold();
      isLent = true;
      const ahead = (request.read() as Buffer | null) ?? Buffer.alloc(0);
      const onBorrowed = (by: Borrower): void => {
        borrower = by;
        if (request.socket.destroyed) onClose();
      };
      const returned = await use({ descriptor, ahead, framing: place, onBorrowed });
      borrower = undefined;
      if (returned === undefined) {
        isLent = false;
        if (isEnded) end();
        return false;
      }
      await tellParser(request, reading, returned);
      isLent = false;
      end();
      return true;
    },
    end,
  };
}

interface Start {
  /** What has come of the body. */
  readonly bytes: Uint8Array;
  readonly framing: FramingTracker;
}

interface FramingTracker {
  push(bytes: Uint8Array): void;
  place(): BodyFraming | undefined;
}

function startOf(request: IncomingMessage): Start | undefined {
  const { headers, method, url } = request;
  if (headers.expect !== undefined || headers.upgrade !== undefined) return undefined;
  const length = headers["content-length"];
  const isChunked = headers["transfer-encoding"] === "chunked" && length === undefined;
  if (!isChunked && !(Number(length) >= leastBytes && headers["transfer-encoding"] === undefined)) return undefined;
  const come = readHeadBytes(request);
  if (come === undefined) return undefined;
  const buffer = Buffer.from(come.buffer, come.byteOffset, come.byteLength);
  const line = `${method} ${url} HTTP/1.1\r\n`;
  if (buffer.toString("latin1", 0, line.length) !== line) return undefined;
  const headEnd = buffer.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const bytes = buffer.subarray(headEnd + 4);
  if (isChunked && bytes.subarray(-lastChunk.length).equals(lastChunk)) return undefined; // small, and whole
  return { bytes, framing: isChunked ? trackChunks() : trackSize(Number(length)) };
}

const lastChunk = Buffer.from("0\r\n\r\n");

function trackChunks(): FramingTracker {
  const tracker = createChunkTracker();
  return {
    push: tracker.push,
    place() {
      const place = tracker.place();
      return place && { kind: "chunked", place };
    },
  };
}

function trackSize(sizeBytes: number): FramingTracker {
  let leftBytes = sizeBytes;
  return {
    push(bytes) {
      leftBytes -= bytes.length;
    },
    place: () => (leftBytes > 0 ? { kind: "sized", leftBytes } : undefined),
  };
}

/** Never touched, and so never in memory, but for what the parser copies of it. */
const stand = Buffer.alloc(1024 * 1024);
/** So many are milliseconds, in which nobody else is served. */
const standsAtOnce = 16;

/** What stands for the content that Node's parser has missed is nobody's to read. */
async function tellParser(request: IncomingMessage, reading: HeldReading, returned: Returned): Promise<void> {
  const { socket } = request;
  if (returned.isLost) socket.destroy();
  const inject = (bytes: Uint8Array): void => {
    if (bytes.length > 0 && !socket.destroyed) reading.inject(bytes);
  };
  request.push = (bytes) => (bytes === null ? Object.getPrototypeOf(request).push.call(request, bytes) : true);
  for (let left = returned.missedBytes, count = 1; left > 0 && !socket.destroyed; left -= stand.length, count++) {
    inject(stand.subarray(0, Math.min(left, stand.length)));
    if (count % standsAtOnce === 0) await nextTurn();
  }
  inject(Buffer.from(returned.filler, "latin1"));
  Reflect.deleteProperty(request, "push");
  inject(returned.next);
}
