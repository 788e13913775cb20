/**
 * Whether the other is still there, of a job and one that helps it on another thread: two words of shared memory, which
 * the threads' pool sets when either is over, in whichever way.
 */
export type BesideState = Int32Array<SharedArrayBuffer>;

const ASKER_ENDED = 0;
const HELPER_ENDED = 1;

export function createBesideState(): BesideState {
  return new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
}

export function markAskerEnded(state: BesideState): void {
  Atomics.store(state, ASKER_ENDED, 1);
}

export function markHelperEnded(state: BesideState): void {
  Atomics.store(state, HELPER_ENDED, 1);
}

export function hasAskerEnded(state: BesideState): boolean {
  return Atomics.load(state, ASKER_ENDED) === 1;
}

export function hasHelperEnded(state: BesideState): boolean {
  return Atomics.load(state, HELPER_ENDED) === 1;
}
