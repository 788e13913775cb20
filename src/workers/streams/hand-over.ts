import type { Spool } from "./spool.ts";

/**
 * Bytes from a job's ring to whoever reads them: one piece at a time, or, once the reader keeps others waiting, by way
 * of a file that takes all that the job still writes.
 */
export interface HandOver {
  /**
   * Resolves when the piece was used, or lies in the file, and is the job's again; false when nobody reads any more.
   */
  offer(bytes: Uint8Array): Promise<boolean>;
  /** There is no more; where the job failed, with its error. */
  end(error?: Error): void;
  /**
   * What `use` makes of the next piece, which is the job's again when that returns, or when `until` says so of what it
   * made; `undefined` at the end, and when closed. @throws what the job failed with.
   */
  take<T>(use: (bytes: Uint8Array) => T, until?: (used: T) => PromiseLike<unknown> | undefined): Promise<T | undefined>;
  /** For how long the job has waited for the reader. */
  stalledMs(): number;
  /** From now on the job does not wait for the reader, as long as the disk has room. */
  spool(): void;
  /** Nobody reads any more. */
  close(): Promise<void>;
}

export function createHandOver(createSpool: () => Spool): HandOver {
  let offered: Uint8Array | undefined;
  let offeredAtMs = 0;
  let spool: Spool | undefined;
  let isAppending = false;
  let isHeld = false;
  let isFull = false;
  let isClosed = false;
  let ended: { readonly error: Error | undefined } | undefined;
  let wakeAll = (): void => {};
  let change = nextChange();

  function nextChange(): Promise<void> {
    return new Promise((resolve) => (wakeAll = resolve));
  }

  function wake(): void {
    wakeAll();
    change = nextChange();
  }

  /** What a full disk does not take waits for the reader after all. */
  async function append(to: Spool, bytes: Uint8Array): Promise<void> {
    isAppending = true;
    try {
      await to.append(bytes);
      offered = undefined;
    } catch {
      isFull = true;
    } finally {
      isAppending = false;
      wake();
    }
  }

  /** The piece is the job's again once nothing holds it any more. */
  async function useOffered<T>(
    bytes: Uint8Array,
    use: (bytes: Uint8Array) => T,
    until?: (used: T) => PromiseLike<unknown> | undefined,
  ): Promise<T> {
    const used = use(bytes);
    const held = until?.(used);
    isHeld = held !== undefined;
    if (isHeld) await held;
    isHeld = false;
    offered = undefined;
    wake();
    return used;
  }

  return {
    async offer(bytes) {
      offered = bytes;
      offeredAtMs = performance.now();
      wake();
      // oxlint-disable-next-line no-unmodified-loop-condition -- changed by the other methods, while this one waits
      while (offered !== undefined && !isClosed) {
        if (spool !== undefined && !isFull && !isHeld) await append(spool, offered);
        else await change;
      }
      return !isClosed;
    },

    end(error) {
      ended = { error };
      wake();
    },

    async take(use, until) {
      // oxlint-disable-next-line no-unmodified-loop-condition -- changed by the other methods, while this one waits
      while (!isClosed) {
        if (spool !== undefined && spool.unreadBytes() > 0) return use(await spool.read());
        if (offered !== undefined && !isAppending) return useOffered(offered, use, until);
        if (ended?.error !== undefined) throw ended.error;
        if (ended !== undefined) return undefined;
        await change;
      }
      return undefined;
    },

    stalledMs: () => (offered === undefined ? 0 : performance.now() - offeredAtMs),

    spool() {
      spool ??= createSpool();
      wake();
    },

    async close() {
      isClosed = true;
      wake();
      // oxlint-disable-next-line no-unmodified-loop-condition -- changed by `append`
      while (isAppending) await change;
      await spool?.remove();
    },
  };
}
