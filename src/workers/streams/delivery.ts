import type { Readable } from "node:stream";
import { CleatError } from "../../errors/index.ts";
import type { DescriptorWriting, Sink } from "../../protocol/kit.ts";
import { createOutlet, type Outlet } from "./loans/outlet.ts";

/** Brings a job's stream to a peer: what is on its way by the stream, and then by the job itself. */
export interface Delivery extends DescriptorWriting {
  readonly outlet: Outlet;
  /** Is told of all bytes that the stream will give, before it does. */
  handed(sizeBytes: number): void;
}

export function createDelivery(streamOf: () => Readable): Delivery {
  let handedBytes = 0;
  let writtenBytes = 0;
  let waitingMs: number | undefined;
  let wake = (): void => {};
  const outlet = createOutlet(() => wake());

  /** What takes time here is the peer's. */
  async function whilePeerTakes<T>(work: Promise<T>): Promise<T> {
    waitingMs = performance.now();
    const value = await work;
    waitingMs = undefined;
    return value;
  }

  async function writeAll(stream: Readable, sink: Sink): Promise<void> {
    for (;;) {
      const changed = new Promise<void>((resolve) => (wake = resolve));
      const bytes = stream.read() as Buffer | null;
      if (bytes !== null) {
        writtenBytes += bytes.length;
        await whilePeerTakes(sink.write(bytes));
      } else if (stream.destroyed && !stream.readableEnded) {
        throw stream.errored ?? new CleatError("CANCELLED", "stream was closed before its end");
      } else if (stream.readableEnded) return;
      else if (outlet.isAwaited() && writtenBytes === handedBytes) {
        const rest = await outlet.lendTo(sink);
        if (rest.length > 0) await whilePeerTakes(sink.writeFramed(rest));
      } else await changed;
    }
  }

  return {
    outlet,
    handed(sizeBytes) {
      handedBytes += sizeBytes;
    },
    async writeTo(sink) {
      const stream = streamOf();
      const onChange = (): void => wake();
      for (const event of events) stream.on(event, onChange);
      outlet.ask();
      try {
        await writeAll(stream, sink);
      } finally {
        for (const event of events) stream.off(event, onChange);
      }
    },
    silentMs: () => (waitingMs === undefined ? outlet.stalledMs() || undefined : performance.now() - waitingMs),
  };
}

const events = ["readable", "end", "close", "error"] as const;
