/**
 * The writing end of an outlet (`outlet.ts`), on the job's thread: what the job writes goes to the peer's descriptor,
 * in chunk frames, once that is lent, and into the ring again when it is called back.
 */
import { DATA_SIGNAL, LOAN, NEXT_BYTES, outletStates, type Ring, wake } from "../ring/control.ts";
import { createLentDescriptor, lookMs, readWhole } from "./lent-descriptor.ts";

export interface DirectWriter {
  /**
   * Writes `bytes` where they go to the descriptor; how many of them that was: all, or none
   * but for a call back. Blocks.
   */
  write(bytes: Uint8Array): number;
  /**
   * As `write`, of the next bytes of an open file, which pass no process.
   * @throws ABORTED when the file ends before: its frame is not whole, and neither is the stream.
   */
  writeFrom(file: number, sizeBytes: number): number;
  /** Whether what is written next goes to the descriptor. Where that was asked for, blocks until it is lent. */
  isLent(): boolean;
  /** Gives back what is lent. */
  end(): void;
}

export function createDirectWriter(ring: Ring): DirectWriter {
  const { control, data } = ring;
  const { none, asked, standing, lent, recalled, returned } = outletStates;
  const { send, sendFile, sendsFiles, throwIfUnwanted } = createLentDescriptor(ring);
  /** What has to come before the next frame. */
  let frameEnd = "";

  function isLent(): boolean {
    const state = Atomics.load(control, LOAN);
    return state === lent || state === recalled || (state === asked && stand());
  }

  /** Until the descriptor is lent, or is not to be had. */
  function stand(): boolean {
    if (Atomics.compareExchange(control, LOAN, asked, standing) !== asked) return false;
    wake(ring, DATA_SIGNAL);
    while (Atomics.load(control, LOAN) === standing) {
      throwIfUnwanted();
      Atomics.wait(control, LOAN, standing, lookMs);
    }
    frameEnd = "";
    return Atomics.load(control, LOAN) === lent;
  }

  /** What cannot be written is the rest of a frame, and somebody else's to write. */
  function giveBack(...parts: readonly Uint8Array[]): void {
    const rest = Buffer.concat(parts);
    data.set(rest, 0);
    Atomics.store(control, NEXT_BYTES, rest.length);
    frameEnd = "";
    Atomics.store(control, LOAN, returned);
    Atomics.notify(control, LOAN);
  }

  /** The ring's memory is the reader's until it has taken what lies there. */
  function awaitTaken(): void {
    while (Atomics.load(control, LOAN) === returned) {
      throwIfUnwanted();
      Atomics.wait(control, LOAN, returned, lookMs);
    }
  }

  /** What begins a frame, behind the end of the one before. No frame can be ended any more until this one is whole. */
  function sendFrameHead(sizeBytes: number): Uint8Array {
    const head = Buffer.from(`${frameEnd}${sizeBytes.toString(16)}\r\n`, "latin1");
    frameEnd = "";
    return send(head);
  }

  /** False where the descriptor was called back; the frame is whole for who reads all the same. */
  function endFrame(restOfHead: Uint8Array, rest: Uint8Array): boolean {
    if (restOfHead.length + rest.length === 0) {
      frameEnd = lineEnd;
      return true;
    }
    giveBack(restOfHead, rest, Buffer.from(lineEnd));
    awaitTaken();
    return false;
  }

  /** Of the next bytes of a file. */
  function sendFileFrame(file: number, sizeBytes: number): boolean {
    const restOfHead = sendFrameHead(sizeBytes);
    const left = restOfHead.length > 0 ? sizeBytes : sendFile(file, sizeBytes);
    const rest = readWhole(file, left);
    return endFrame(restOfHead, restOfHead.length > 0 ? rest : send(rest));
  }

  return {
    isLent,
    write(bytes) {
      if (!isLent()) return 0;
      for (let at = 0; at < bytes.length;) {
        const content = bytes.subarray(at, at + data.length / 2);
        at += content.length;
        const restOfHead = sendFrameHead(content.length);
        if (!endFrame(restOfHead, restOfHead.length > 0 ? content : send(content))) return at;
      }
      return bytes.length;
    },
    writeFrom(file, sizeBytes) {
      if (!isLent()) return 0;
      for (let at = 0; at < sizeBytes;) {
        if (!sendsFiles()) return at;
        const count = Math.min(sizeBytes - at, data.length / 2);
        at += count;
        if (!sendFileFrame(file, count)) return at;
      }
      return sizeBytes;
    },
    end() {
      const state = Atomics.load(control, LOAN);
      if (state === lent || state === recalled) giveBack(Buffer.from(frameEnd));
      else if (state !== returned) Atomics.store(control, LOAN, none);
    },
  };
}

const lineEnd = "\r\n";
