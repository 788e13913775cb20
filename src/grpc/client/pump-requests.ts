import type { PeerSilence } from "../wire/silence.ts";
import { createFrameWriter } from "../wire/write-frame.ts";
import type { ClientStream } from "./client-stream.ts";

export interface RequestPump {
  /** The caller's own failure, which broke the call off. */
  readonly failure: { readonly error: unknown } | undefined;
  /** The answer is there: nothing more is asked of the source. */
  stop(): void;
}

/**
 * What may wait for the peer, beside one request: two pieces of a blob (`writeBlob` of `containerd`), of which one is
 * made while the other is on its way.
 */
export const aheadBytes = 2 * 1024 * 1024;

/**
 * Sends a caller's requests as fast as the peer takes them, then ends its half of the stream. The deadline counts the
 * time in which the peer takes or answers a request, not that in which the caller makes one.
 */
export function pumpRequests<T>(
  { stream, cancel }: ClientStream,
  requests: AsyncIterable<T> | readonly T[],
  encode: (request: T) => Uint8Array,
  silence: PeerSilence,
): RequestPump {
  const source = Symbol.asyncIterator in requests ? requests[Symbol.asyncIterator]() : requests[Symbol.iterator]();
  const write = createFrameWriter(stream, aheadBytes);
  let isStopped = false;
  const pump: { failure: { error: unknown } | undefined; stop(): void } = {
    failure: undefined,
    stop() {
      if (isStopped) return;
      isStopped = true;
      void Promise.resolve(source.return?.()).catch(() => {}); // what fails while it is left is nobody's answer
    },
  };
  const run = async () => {
    for (;;) {
      const next = await silence.whileBusy(async () => source.next());
      if (isStopped || stream.closed) return;
      if (next.done) return void stream.end();
      await write(encode(next.value));
    }
  };
  run().catch((error: unknown) => {
    if (isStopped || stream.closed) return;
    pump.failure = { error };
    cancel();
  });
  return pump;
}
