import { PEER_SILENT_SINCE, PEER_WAITED_FOR } from "./control.ts";
import { briskBytes } from "./pace.ts";

/** What a thread that reads from a peer tells of it, where others can see it (`isPeerSlow`). */
export interface PeerWatch {
  received(sizeBytes: number): void;
  waiting(): void;
  waited(): void;
}

/** Only the time in which the peer is waited for is the peer's. */
export function createPeerWatch(control: Int32Array<SharedArrayBuffer>): PeerWatch {
  let sizeBytes = 0;
  let waitedMs = 0;
  let startMs = 0;
  return {
    received(count) {
      sizeBytes += count;
      if (sizeBytes < briskBytes) return;
      sizeBytes = 0;
      waitedMs = 0;
    },
    waiting() {
      startMs = monotonicMs();
      Atomics.store(control, PEER_SILENT_SINCE, (startMs - waitedMs) | 0);
      Atomics.store(control, PEER_WAITED_FOR, 1);
    },
    waited() {
      Atomics.store(control, PEER_WAITED_FOR, 0);
      waitedMs += monotonicMs() - startMs;
    },
  };
}

/** Whether a thread waits for a peer who has sent less than a brisk one does, for at least so long. */
export function isPeerSlow(control: Int32Array<SharedArrayBuffer>, timeMs: number): boolean {
  if (Atomics.load(control, PEER_WAITED_FOR) === 0) return false;
  return ((monotonicMs() - Atomics.load(control, PEER_SILENT_SINCE)) | 0) >= timeMs;
}

/** The same on every thread, unlike `performance.now()`; cut to 31 bits it goes round once in 24 days. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n) | 0;
}
