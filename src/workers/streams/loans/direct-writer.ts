/**
 * The writing end of an outlet (`outlet.ts`), on the job's thread: what the job writes goes to the peer's descriptor,
 * in chunk frames, once that is lent, and into the ring again when it is called back.
 */
import { CleatError, SystemError } from "../../../errors/index.ts";
import { writeNow } from "../../../syscall/index.ts";
import type { Ring } from "../ring/control.ts";
import { createFileMover } from "./file-mover.ts";
import { createLentDescriptor, toGoneError } from "./lent-descriptor.ts";

export interface DirectWriter {
  /**
   * Writes `bytes` where they go to the descriptor; how many of them that was: all, or none
   * but for a call back. Blocks.
   */
  write(bytes: Uint8Array): number;
  /** As `write`, of the next bytes of an open file, at most `sizeBytes`; fewer also where the file ends. */
  send(file: number, sizeBytes: number): number;
  /** Whether what is written next goes to the descriptor. Where that was asked for, blocks until it is lent. */
  isLent(): boolean;
  /** Gives back what is lent. */
  end(): void;
}

const nothing = new Uint8Array(0);

export function createDirectWriter(ring: Ring): DirectWriter {
  /** What has to come before the next frame. */
  let frameEnd = "";
  /** A frame was begun and has not ended: what came next would be taken for its content. */
  let isInside = false;
  const lent = createLentDescriptor(ring, () => (frameEnd = ""));
  const mover = createFileMover(lent, send);
  const maxFrameBytes = ring.data.length / 2;

  /** What is left of `bytes` when the descriptor is called back. */
  function send(bytes: Uint8Array): Uint8Array {
    for (let rest = bytes; ;) {
      if (!lent.isWanted()) return rest;
      const count = tryWrite(lent.descriptor(), rest);
      if (count === rest.length) return nothing;
      if (count !== undefined) {
        rest = rest.subarray(count);
        lent.moved(count);
      }
      lent.awaitRoom();
    }
  }

  /** What begins a frame, behind the end of the one before. Nobody ends that frame before it is whole. */
  function takeHead(sizeBytes: number): Buffer {
    if (isInside) throw new CleatError("ABORTED", "a file became shorter, or failed, while it was read");
    const head = Buffer.from(`${frameEnd}${sizeBytes.toString(16)}\r\n`, "latin1");
    frameEnd = "";
    isInside = true;
    return head;
  }

  /** False where the descriptor was called back; the frame is whole for who reads all the same. */
  function endFrame(...rest: readonly Uint8Array[]): boolean {
    isInside = false;
    if (rest.every(({ length }) => length === 0)) {
      frameEnd = lineEnd;
      return true;
    }
    lent.giveBackAll(...rest, Buffer.from(lineEnd));
    return false;
  }

  function sendFrame(content: Uint8Array): boolean {
    const head = takeHead(content.length);
    if (content.length <= joinedBytes) return endFrame(send(Buffer.concat([head, content])));
    const restOfHead = send(head);
    return endFrame(restOfHead, restOfHead.length > 0 ? content : send(content));
  }

  /** How much of the file went; where it has ended before, so has the frame for nobody, who would take it for whole. */
  function sendFileFrame(file: number, sizeBytes: number): number {
    const restOfHead = send(takeHead(sizeBytes));
    const moved = restOfHead.length === 0 ? mover.move(file, sizeBytes) : notMoved;
    const rest = moved.isEnded ? nothing : mover.read(file, sizeBytes - moved.count);
    const count = moved.count + rest.length;
    if (count === sizeBytes) endFrame(restOfHead, moved.unsent, rest);
    return count;
  }

  return {
    isLent: lent.isLent,
    write(bytes) {
      if (!lent.isLent()) return 0;
      for (let at = 0; at < bytes.length;) {
        const content = bytes.subarray(at, at + maxFrameBytes);
        at += content.length;
        if (!sendFrame(content)) return at;
      }
      return bytes.length;
    },
    send(file, sizeBytes) {
      for (let done = 0; ;) {
        const frameBytes = Math.min(sizeBytes - done, maxFrameBytes);
        const count = sendFileFrame(file, frameBytes);
        done += count;
        if (count < frameBytes || done === sizeBytes || !lent.isLent()) return done;
      }
    },
    end: () => lent.giveBackAtEnd(Buffer.from(frameEnd)),
  };
}

const lineEnd = "\r\n";
/** So much is copied sooner than sent by a call of its own. */
const joinedBytes = 16 * 1024;
const notMoved = { count: 0, unsent: nothing, isEnded: false };

function tryWrite(descriptor: number, bytes: Uint8Array): number | undefined {
  try {
    return writeNow(descriptor, bytes);
  } catch (error) {
    if (error instanceof SystemError) throw toGoneError(error);
    throw error;
  }
}
