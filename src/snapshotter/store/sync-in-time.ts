import { CleatError } from "../../errors/index.ts";
import type { CallOptions } from "../../protocol/index.ts";
import { quoteName } from "../names-and-labels.ts";

/**
 * containerd sets no deadline, and holds its database's lock while it waits for a commit: on a disk that hangs all of
 * its calls would hang, also those of other snapshotters. A slow disk may take long over a large layer, most of which
 * is written behind.
 */
export const syncPatienceMs = 120_000;

/**
 * Makes durable what was unpacked, for the commit of `key`. What is given up goes on, and is waited for by nobody: the
 * commit is refused, and nothing acknowledges it later; what it loses then is not lost silently (`lost-writes.ts`).
 * @throws DEADLINE_EXCEEDED after two minutes; the caller's own reason when its call is given up.
 */
export async function syncInTime(
  sync: (() => Promise<void>) | undefined,
  key: string,
  { signal }: CallOptions,
): Promise<void> {
  if (sync === undefined) return signal?.throwIfAborted();
  let giveUp = () => {};
  let timer: NodeJS.Timeout | undefined;
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = () => reject(signal?.reason as Error);
    timer = setTimeout(() => {
      const message = `files of snapshot ${quoteName(key)} are not on the disk after ${syncPatienceMs / 1_000} s`;
      reject(new CleatError("DEADLINE_EXCEEDED", message));
    }, syncPatienceMs);
  });
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    signal?.throwIfAborted();
    await Promise.race([sync(), givenUp]);
    signal?.throwIfAborted(); // who was told that it failed must not find it done
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}
