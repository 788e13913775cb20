import { finished, type Readable } from "node:stream";

/** What goes out in one write costs its peer, and this process, a fraction of what the same costs as a stream. */
const maxWholeBytes = 64 * 1024;

/**
 * Takes all of a stream whose first bytes are there, if it is short and has ended already; else the stream is as it
 * was.
 * @throws whatever the stream failed with meanwhile, when it is closed, and what it needed is given back.
 */
export async function takeWhole(stream: Readable): Promise<Uint8Array | undefined> {
  if (stream.readableObjectMode || stream.readableLength > maxWholeBytes) return undefined;
  const bytes = stream.read() as Buffer | null;
  stream.on("error", ignore);
  await new Promise<void>((resolve) => process.nextTick(resolve)); // in which a stream that is at its end says so
  if (stream.errored !== null) {
    await new Promise<void>((resolve) => void finished(stream, () => resolve()));
    throw stream.errored;
  }
  stream.off("error", ignore);
  if (stream.readableEnded) return bytes ?? Buffer.alloc(0);
  if (bytes !== null) stream.unshift(bytes);
  return undefined;
}

function ignore(): void {}
