import { finished, type Readable } from "node:stream";

/**
 * Waits until a stream has its first byte (or is empty), so that a failure before it can still be answered as a
 * failure and not as a broken stream. Nothing is consumed. Destroys the stream when `signal` aborts first.
 * @throws whatever the stream failed with.
 */
export async function untilFirstByte(stream: Readable, signal: AbortSignal): Promise<void> {
  const abort = () => stream.destroy();
  await new Promise<void>((resolve, reject) => {
    const onReadable = () => settle();
    const forget = finished(stream, (error) => settle(error));
    function settle(error?: Error | null) {
      stream.off("readable", onReadable);
      signal.removeEventListener("abort", abort);
      forget();
      if (error) reject(error);
      else resolve();
    }
    stream.on("readable", onReadable);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  });
}
