import { PEER_SILENT_SINCE, PEER_WAITED_FOR } from "../ring/control.ts";

/** What a thread that waits for a peer tells of it, where others can see it (`peerSilentMs`). */
export interface PeerWatch {
  moved(sizeBytes: number): void;
  waiting(): void;
  waited(): void;
}

/** Only the time in which the peer is waited for is the peer's; a brisk one moves `enoughBytes` in no time. */
export function createPeerWatch(control: Int32Array<SharedArrayBuffer>, enoughBytes: number): PeerWatch {
  let sizeBytes = 0;
  let waitedMs = 0;
  let startMs = 0;
  return {
    moved(count) {
      sizeBytes += count;
      if (sizeBytes < enoughBytes) return;
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

/** For how long a thread has waited for a peer who is no brisk one; 0 while it waits for none. */
export function peerSilentMs(control: Int32Array<SharedArrayBuffer>): number {
  if (Atomics.load(control, PEER_WAITED_FOR) === 0) return 0;
  return (monotonicMs() - Atomics.load(control, PEER_SILENT_SINCE)) | 0;
}

/** The same on every thread, unlike `performance.now()`; cut to 31 bits it goes round once in 24 days. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n) | 0;
}
