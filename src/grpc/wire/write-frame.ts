import type { Http2Stream } from "node:http2";

/**
 * Writes a frame; a promise where so much waits for a slow peer that no more should be written, which resolves when
 * there is room again or the stream is closed. It is to be waited for before the next is written.
 */
export type FrameWriter = (frame: Uint8Array) => Promise<void> | undefined;

/**
 * Writes to a stream. Up to `aheadBytes` and a frame may wait for its peer; the stream's "drain" would come only once
 * all of it is gone, and leave the peer waiting for the next.
 */
export function createFrameWriter(stream: Http2Stream, aheadBytes: number = stream.writableHighWaterMark): FrameWriter {
  let goOn = () => {};
  const onWritten = () => {
    if (stream.writableLength < aheadBytes) goOn();
  };
  stream.once("close", () => goOn());
  return (frame) => {
    stream.write(frame, onWritten);
    if (stream.writableLength < aheadBytes || stream.closed) return undefined;
    return new Promise((resolve) => (goOn = resolve));
  };
}
