import { CleatError } from "../../errors/index.ts";
import type { MountSet } from "../holders/mount-set.ts";
import type { Turns } from "../holders/turns.ts";
import type { CreateCall } from "./volume-backend.ts";
import type { VolumeTable } from "./volume-table.ts";

/** Volumes from which others are being made. */
export interface VolumeSources {
  /** For a volume in the making, whose caller leaves the queue when `signal` aborts, and nothing that has begun. */
  reading(signal: AbortSignal): CreateCall["withVolume"];
  /** @throws FAILED_PRECONDITION while another is made from it. */
  assertUnread(name: string): void;
}

export interface VolumeSourcesParts {
  readonly turns: Turns;
  readonly table: VolumeTable;
  readonly mounts: MountSet;
}

export function createSources({ turns, table, mounts }: VolumeSourcesParts): VolumeSources {
  /** How many are made from it, and let it be mounted meanwhile. */
  const readers = new Map<string, number>();
  const hold = (name: string): Disposable => {
    readers.set(name, (readers.get(name) ?? 0) + 1);
    return {
      [Symbol.dispose]() {
        const left = (readers.get(name) ?? 1) - 1;
        if (left > 0) readers.set(name, left);
        else readers.delete(name);
      },
    };
  };

  return {
    reading: (signal) => async (name, work, options) => {
      const waiting = followUntilBegun(signal);
      const find = () => {
        waiting.end();
        table.assertReady(name);
        return { ...table.managed(name), isMounted: mounts.pathOf(name) !== undefined };
      };
      try {
        if (options?.whileMounts !== true) return await turns.take(name, waiting.signal, async () => work(find()));
        const held = await turns.take(name, waiting.signal, async () => ({ source: find(), hold: hold(name) }));
        using _ = held.hold;
        return await work(held.source);
      } finally {
        waiting.end();
      }
    },
    assertUnread(name) {
      if (!readers.has(name)) return;
      throw new CleatError("FAILED_PRECONDITION", `volume "${name}" is in use: another is being made from it`);
    },
  };
}

/**
 * A signal that aborts when `signal` does, until `end`: a caller who gives up leaves a queue, and not what he has
 * begun. That would be undone while it still runs.
 */
function followUntilBegun(signal: AbortSignal): { signal: AbortSignal; end(): void } {
  const waiting = new AbortController();
  const giveUp = () => waiting.abort(signal.reason);
  if (signal.aborted) giveUp();
  signal.addEventListener("abort", giveUp, { once: true });
  return { signal: waiting.signal, end: () => signal.removeEventListener("abort", giveUp) };
}
