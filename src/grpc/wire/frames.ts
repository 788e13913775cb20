import { CleatError, type ErrorCode } from "../../errors/index.ts";

/** A flag, then the length of the message. Source: gRPC `doc/PROTOCOL-HTTP2.md`, "Length-Prefixed-Message". */
const headerBytes = 5;

/**
 * What containerd sends and takes at most. Source: containerd v1.6.20 `defaults/defaults.go`, DefaultMaxRecvMsgSize.
 */
export const defaultMaxMessageBytes = 16 * 1024 * 1024;

/**
 * A message as it travels, uncompressed.
 * @throws RESOURCE_EXHAUSTED when it is longer than the peer would take.
 */
export function encodeFrame(message: Uint8Array, maxMessageBytes: number): Buffer {
  if (message.length > maxMessageBytes) throw tooLong(message.length, maxMessageBytes);
  const frame = Buffer.allocUnsafe(headerBytes + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, headerBytes);
  return frame;
}

export interface FrameReader {
  /**
   * The messages that `chunk` completes, in order.
   * @throws RESOURCE_EXHAUSTED as soon as a message is announced that is over the limit.
   * @throws UNIMPLEMENTED for a compressed message.
   * @throws the reader's code for a flag that there is not.
   */
  push(chunk: Uint8Array): readonly Uint8Array[];
  /** Bytes kept of a message that is not complete. */
  readonly heldBytes: number;
}

/**
 * Cuts a stream of bytes into messages, wherever it was cut into chunks. What is kept of an unfinished message grows
 * with the bytes that came, not with the length that was announced, and each byte is copied a bounded number of times.
 */
export function createFrameReader(maxMessageBytes: number, malformed: ErrorCode): FrameReader {
  let buffer = Buffer.alloc(0);
  let held = 0;

  const lengthOf = (bytes: Uint8Array, at: number): number => {
    const flag = bytes[at] as number;
    if (flag === 1) throw new CleatError("UNIMPLEMENTED", "message is compressed; only identity is understood");
    if (flag !== 0) throw new CleatError(malformed, `message starts with flag ${flag}, which there is not`);
    const length = new DataView(bytes.buffer, bytes.byteOffset + at + 1, 4).getUint32(0);
    if (length > maxMessageBytes) throw tooLong(length, maxMessageBytes);
    return length;
  };
  const hold = (bytes: Uint8Array): void => {
    if (held + bytes.length > buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(held + bytes.length, 2 * buffer.length));
      buffer.copy(grown, 0, 0, held);
      buffer = grown;
    }
    buffer.set(bytes, held);
    held += bytes.length;
  };

  return {
    push(chunk) {
      const messages: Uint8Array[] = [];
      let at = 0;
      while (at < chunk.length) {
        if (held === 0 && chunk.length - at >= headerBytes) {
          const end = at + headerBytes + lengthOf(chunk, at);
          if (end <= chunk.length) {
            messages.push(chunk.subarray(at + headerBytes, end));
            at = end;
            continue;
          }
        }
        const wanted = held < headerBytes ? headerBytes : headerBytes + lengthOf(buffer, 0);
        const taken = Math.min(wanted - held, chunk.length - at);
        hold(chunk.subarray(at, at + taken));
        at += taken;
        if (held < headerBytes || held < headerBytes + lengthOf(buffer, 0)) continue;
        messages.push(buffer.subarray(headerBytes, held));
        buffer = Buffer.alloc(0);
        held = 0;
      }
      return messages;
    },
    get heldBytes() {
      return held;
    },
  };
}

function tooLong(length: number, maxMessageBytes: number): CleatError {
  return new CleatError("RESOURCE_EXHAUSTED", `message of ${length} bytes is over the limit of ${maxMessageBytes}`);
}
