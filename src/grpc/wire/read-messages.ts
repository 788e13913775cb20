import type { Http2Stream } from "node:http2";
import { TransportError } from "../../errors/index.ts";
import type { FrameReader } from "./frames.ts";
import type { MemoryBudget } from "./memory-budget.ts";

export interface ReadOptions {
  readonly frames: FrameReader;
  readonly budget?: MemoryBudget;
  /** Who sends: "peer", for the message of a failure. */
  readonly subject: string;
}

/**
 * The one message of a stream; `undefined` where it has none. By events, which cost less than iterating.
 * @throws what `frames` throws, `tooMany` as soon as there is a second message, CANCELLED when the stream was cut off;
 * the rest is not read then.
 */
export function readOneMessage(
  stream: Http2Stream,
  options: ReadOptions & { readonly tooMany: () => Error },
): Promise<Uint8Array | undefined> {
  const { frames, budget } = options;
  const messages: Uint8Array[] = [];
  return new Promise((resolve, reject) => {
    let hasEnded = false;
    const fail = (error: unknown) => {
      stream.off("data", onData);
      reject(error as Error);
    };
    const onData = (chunk: Buffer) => {
      try {
        budget?.take(chunk.length);
        messages.push(...frames.push(chunk));
        if (messages.length > 1) fail(options.tooMany());
      } catch (error) {
        fail(error);
      }
    };
    const onEnd = () => {
      hasEnded = true;
      if (wasCutOff(stream, frames)) fail(cutOff(options.subject));
      else resolve(messages[0]);
    };
    stream.on("data", onData);
    stream.once("end", onEnd);
    stream.once("close", () => {
      if (!hasEnded) reject(cutOff(options.subject));
    });
  });
}

/** The messages of a stream one after another; the sender is held back while nobody takes them. */
export async function* iterateMessages(stream: Http2Stream, options: ReadOptions): AsyncGenerator<Uint8Array> {
  const { frames, budget, subject } = options;
  let kept = 0;
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const messages = frames.push(chunk);
      budget?.take(Math.max(0, frames.heldBytes - kept));
      budget?.give(Math.max(0, kept - frames.heldBytes));
      kept = frames.heldBytes;
      yield* messages;
    }
  } catch (error) {
    throw isPrematureClose(error) ? cutOff(subject) : error;
  } finally {
    budget?.give(kept);
  }
  if (wasCutOff(stream, frames)) throw cutOff(subject);
}

/** Node ends the readable side of a stream that its peer has reset as if it were complete. */
function wasCutOff(stream: Http2Stream, frames: FrameReader): boolean {
  return frames.heldBytes > 0 || stream.aborted || (stream.rstCode ?? 0) !== 0;
}

function cutOff(subject: string): TransportError {
  return new TransportError("CANCELLED", `${subject} stopped in the middle of its messages`, { reachedPeer: true });
}

function isPrematureClose(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
}
