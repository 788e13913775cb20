import type { Http2Stream } from "node:http2";

/**
 * Writes to a stream; a promise when its peer is slow, which resolves when there is room again or the stream is closed.
 */
export function writeFrame(stream: Http2Stream, frame: Uint8Array): Promise<void> | undefined {
  if (stream.write(frame)) return undefined;
  return new Promise((resolve) => {
    const settle = () => {
      stream.off("drain", settle);
      stream.off("close", settle);
      resolve();
    };
    stream.once("drain", settle);
    stream.once("close", settle);
  });
}
