import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { CleatError, toCleatError } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import type { ManagedVolumes } from "../managed/open-managed-volumes.ts";
import { unpackArchive } from "../trees/tree-jobs.ts";

/** Fills a volume in the making with what a tar archive holds, as `createFilled` asks for it. */
export function fillFromArchive(
  name: string,
  archive: Readable,
  { signal }: Pick<CallOptions, "signal"> = {},
): (path: string) => Promise<void> {
  return async (path) => {
    try {
      await unpackArchive(archive, path, { signal });
    } catch (error) {
      const { code, message } = toCleatError(error);
      throw new CleatError(code, `volume "${name}" cannot be restored: ${message}`, { cause: error });
    }
  };
}

/**
 * Volumes that are restored in two calls. Options may hold secrets, and an archive's call has room for arguments only
 * in its address, which is no place for them: so they come first, and what is answered stands for them in the second.
 */
export interface Restoring {
  /** Nothing is made yet. @throws RESOURCE_EXHAUSTED while too many wait for their archives. */
  prepare(name: string, options: Readonly<Record<string, string>>): string;
  /**
   * Whole or not at all: whoever goes away in the middle of the archive has made nothing.
   * @throws NOT_FOUND for what `prepare` has not answered, or too long ago.
   */
  restore(id: string, archive: AsyncIterable<Uint8Array>, call: Pick<CallOptions, "signal">): Promise<void>;
}

/** From one call to the next. */
const patienceMs = 60_000;
const maxWaiting = 64;

export function createRestoring(managed: Pick<ManagedVolumes, "createFilled">): Restoring {
  const waiting = new Map<string, { readonly name: string; readonly options: Readonly<Record<string, string>> }>();
  return {
    prepare(name, options) {
      if (waiting.size >= maxWaiting) {
        throw new CleatError("RESOURCE_EXHAUSTED", `${maxWaiting} volumes wait for their archives already`);
      }
      const id = randomUUID();
      waiting.set(id, { name, options });
      setTimeout(() => waiting.delete(id), patienceMs).unref();
      return id;
    },
    async restore(id, archive, { signal }) {
      const prepared = waiting.get(id);
      if (prepared === undefined) throw new CleatError("NOT_FOUND", "no volume waits for this archive any more");
      waiting.delete(id);
      const { name, options } = prepared;
      await managed.createFilled(name, { options }, fillFromArchive(name, Readable.from(archive), { signal }), {
        signal,
      });
    },
  };
}
