import { finished } from "node:stream/promises";
import type { Readable } from "node:stream";
import { CleatError } from "../../errors/index.ts";
import type { ChunkVisiting } from "../../protocol/kit.ts";
import type { HandOver } from "./hand-over.ts";

/** Shows what a job writes where it lies, instead of copies of it by the stream. */
export interface Visiting extends ChunkVisiting {
  /** The stream itself has nothing to give from then on. */
  isBegun(): boolean;
  /** For how long the visitor has kept the job waiting; `undefined` where there is none. */
  silentMs(): number | undefined;
}

/** `over` rejects where what the job needed could not be released. */
export function createVisiting(streamOf: () => Readable, handOver: HandOver, over: Promise<void>): Visiting {
  let isBegun = false;
  let waitingMs: number | undefined;
  /**
   * Who may still read a chunk when `visit` has returned gets copies, so that the job does not wait for it: the first
   * is one, as nobody knows yet.
   */
  let getsCopies = true;
  let isFirst = true;

  /** A visitor that takes its time with this chunk, and has with none before, keeps it where it lies. */
  function show(chunk: Uint8Array, visit: (chunk: Uint8Array) => unknown): Visited {
    const isCopy = getsCopies;
    const more = visit(isCopy ? new Uint8Array(chunk) : chunk);
    const isLater = isPromise(more);
    if (isLater) waitingMs = performance.now();
    getsCopies = isLater || (getsCopies && !isFirst);
    isFirst = false;
    return isLater && !isCopy ? { more, held: more } : { more };
  }

  async function visitAll(stream: Readable, visit: (chunk: Uint8Array) => unknown): Promise<void> {
    for (;;) {
      const visited = await handOver.take(
        (chunk) => show(chunk, visit),
        ({ held }) => held,
      );
      if (visited === undefined) break;
      await visited.more;
      waitingMs = undefined;
    }
    if (stream.destroyed) throw stream.errored ?? new CleatError("CANCELLED", "stream was closed before its end");
    await over;
  }

  return {
    isBegun: () => isBegun,
    silentMs() {
      if (!isBegun) return undefined;
      return waitingMs === undefined ? 0 : performance.now() - waitingMs;
    },
    async visitChunks(visit) {
      const stream = streamOf();
      if (isBegun || stream.readableDidRead || stream.readableFlowing !== null) {
        throw new CleatError("FAILED_PRECONDITION", "stream is read already");
      }
      isBegun = true;
      const closed = finished(stream.on("error", ignore)).catch(ignore);
      try {
        await visitAll(stream, visit);
      } catch (error) {
        stream.destroy(error as Error);
        await closed;
        throw error;
      }
      stream.push(null);
      stream.resume();
      await closed;
    },
  };
}

interface Visited {
  readonly more: unknown;
  readonly held?: PromiseLike<unknown>;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function ignore(): void {}
