import type { Readable } from "node:stream";
import { CleatError } from "../../errors/index.ts";
import { type Borrow, type Borrower, type DescriptorWriting, type LendingSource, wholeOf } from "../../protocol/kit.ts";
import { createPace } from "../../workers/index.ts";

/**
 * The streams between a driver and its peers, who may take any time for them, as long as nobody else has to wait: a
 * peer that is silent, or as good as silent, while somebody waits for the end of its stream is broken off.
 */
export interface PeerStreams {
  /** Runs `work` on what `source` sends for a layer. @throws ABORTED when the sender was silent and somebody waited. */
  receive<T>(id: string, source: LendingSource, work: (source: LendingSource) => Promise<T>): Promise<T>;
  /** Follows what a peer reads, until it is closed. */
  follow(stream: Readable): void;
  /** Runs `work`, which ends after what is being sent for a layer, or else after all streams. */
  outlast<T>(id: string | undefined, work: () => Promise<T>): Promise<T>;
}

interface Peer {
  /** The layer that it sends; whoever reads keeps no layer from anybody. */
  readonly id: string | undefined;
  isSilent(): boolean;
  breakOff(): void;
}

/** As long as a job that streams is waited for, before others get its place. */
const defaultPatienceMs = 1_000;
const lookMs = 100;

export function createPeerStreams(patienceMs: number = defaultPatienceMs): PeerStreams {
  const peers = new Set<Peer>();

  return {
    async receive(id, source, work) {
      const upload = createUpload(id, source, patienceMs);
      peers.add(upload);
      try {
        return await work(upload.source);
      } finally {
        peers.delete(upload);
      }
    },

    follow(stream) {
      if (wholeOf(stream) !== undefined) return;
      const download = createDownload(stream, patienceMs);
      peers.add(download);
      stream.once("close", () => peers.delete(download));
    },

    async outlast(id, work) {
      // What is sent for a layer later waits itself; calls that run already may still answer a stream.
      const inTheWay = id === undefined ? peers : new Set([...peers].filter((peer) => peer.id === id));
      if (id !== undefined && inTheWay.size === 0) return work();
      const timer = setInterval(() => {
        for (const peer of inTheWay) if (peer.isSilent()) peer.breakOff();
      }, lookMs);
      try {
        return await work();
      } finally {
        clearInterval(timer);
      }
    },
  };
}

/** What a peer sends; its iterator ends with an error as soon as it is broken off, however silent the peer stays. */
function createUpload(
  id: string,
  source: LendingSource,
  patienceMs: number,
): Peer & { readonly source: LendingSource } {
  let pace = createPace();
  /** While the next bytes are waited for. */
  let reject: ((error: CleatError) => void) | undefined;
  /** While somebody reads from what the peer writes to itself. */
  let borrower: Borrower | undefined;
  const { lend, isFile } = source;

  async function lendOn(use: Borrow): Promise<boolean> {
    try {
      return await (lend as NonNullable<typeof lend>)((loan) =>
        use({
          ...loan,
          onBorrowed(by) {
            borrower = by;
            loan.onBorrowed(by);
          },
        }),
      );
    } finally {
      borrower = undefined;
    }
  }

  async function* receive(): AsyncGenerator<Uint8Array, undefined> {
    const iterator = source[Symbol.asyncIterator]();
    pace = createPace();
    try {
      for (;;) {
        const { done, value } = await new Promise<IteratorResult<Uint8Array>>((resolve, fail) => {
          reject = fail;
          iterator.next().then(resolve, fail);
        });
        reject = undefined;
        if (done === true) return;
        pace.received(value.length);
        const startMs = performance.now();
        yield value;
        pace.held(performance.now() - startMs);
      }
    } finally {
      const left = iterator.return?.(); // which waits for a silent source, and nobody for it
      if (reject === undefined) await left;
      else left?.catch(ignore);
      reject = undefined;
    }
  }

  return {
    id,
    source: { [Symbol.asyncIterator]: receive, ...(lend && { lend: lendOn }), ...(isFile && { isFile }) },
    isSilent: () => borrower?.isSlow(patienceMs) ?? (reject !== undefined && pace.isSlow(patienceMs)),
    breakOff() {
      const error = brokenOff(`layer "${id}": its archive was broken off, for its sender was silent`);
      borrower?.cutOff(error);
      reject?.(error);
    },
  };
}

function createDownload(stream: Readable, patienceMs: number): Peer {
  let stalledMs: number | undefined;
  return {
    id: undefined,
    isSilent() {
      const silentMs = (stream as Readable & Partial<DescriptorWriting>).silentMs?.();
      if (silentMs !== undefined) return silentMs >= patienceMs;
      if (isBeingRead(stream)) stalledMs = undefined;
      else stalledMs ??= performance.now();
      return stalledMs !== undefined && performance.now() - stalledMs >= patienceMs;
    },
    breakOff() {
      const error = brokenOff("the archive was broken off, for its reader was silent");
      // Who has forgotten the stream does not listen either, and must not come to grief for it.
      stream.destroy(stream.listenerCount("error") > 0 ? error : undefined);
    },
  };
}

/** By an iterator, whoever reads has a listener, and has taken all that there is. */
function isBeingRead(stream: Readable): boolean {
  if (stream.readableFlowing === true) return true;
  return stream.listenerCount("readable") > 0 && stream.readableLength === 0;
}

function brokenOff(what: string): CleatError {
  return new CleatError("ABORTED", `${what} while others waited for it`);
}

function ignore(): void {}
