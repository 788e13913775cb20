/** The lending end of a loan (`borrower.ts` is the other): from the source of a stream to the job that reads it. */
import type { BodyFraming, Borrower, Loan, Returned } from "../../../protocol/kit.ts";
import { close, duplicate, hasDescriptorsToSpare } from "../../../syscall/index.ts";
import {
  changeOf,
  countsOf,
  DATA_SIGNAL,
  FILLER_BYTES,
  FRAMING,
  framings,
  LEFT,
  LENT,
  LOAN,
  loanStates,
  MISSED,
  NEXT_BYTES,
  readerGone,
  type Ring,
  wake,
} from "../ring/control.ts";
import { peerSilentMs } from "../peers/peer-watch.ts";
import type { AsyncRingWriter } from "../ring/async-ends.ts";

/** How the job that reads the ring ends: whether no thread touches the ring any more. */
export type JobOver = Promise<boolean>;

/**
 * Lends what `loan` is of to the job that reads `ring`, and resolves when nobody touches it any more. `onCut` is told,
 * once, why somebody wants it to end early; the ring has to be aborted for that. `undefined` where it cannot be lent.
 */
export async function lendTo(
  ring: Ring,
  writer: AsyncRingWriter,
  loan: Loan,
  over: JobOver,
  onCut: (error: Error) => void,
): Promise<Returned | undefined> {
  // At once: when the lender closes its descriptor, the number may become somebody else's.
  const copy = tryDuplicate(loan.descriptor);
  const isTold = await writer.write(loan.ahead).catch((error: unknown) => {
    if (copy !== undefined) close(copy);
    throw error;
  });
  if (copy === undefined) return undefined;
  try {
    if (!isTold || readerGone(ring)) return undefined;
    offer(ring, copy, toTerms(loan.framing));
    loan.onBorrowed(createBorrower(ring, onCut));
    return await settle(ring, over);
  } finally {
    close(copy);
  }
}

const untouched: Returned = { missedBytes: 0, filler: "", next: new Uint8Array(0), isLost: false };
const lost: Returned = { ...untouched, isLost: true };

interface Terms {
  readonly framing: number;
  readonly left: number;
}

function toTerms(framing: BodyFraming): Terms {
  if (framing.kind === "sized") return { framing: framings.sized, left: framing.leftBytes };
  if (framing.kind === "file") return { framing: framings.file, left: framing.offset ?? -1 };
  const { place } = framing;
  if (place.at === "inside") return { framing: framings.chunk, left: place.leftBytes };
  return { framing: place.at === "behind" ? framings.chunkEnd : framings.chunkStart, left: 0 };
}

/** Without a descriptor to spare the bytes come as they did. */
function tryDuplicate(descriptor: number): number | undefined {
  try {
    return hasDescriptorsToSpare() ? duplicate(descriptor) : undefined;
  } catch {
    return undefined;
  }
}

function offer(ring: Ring, descriptor: number, { framing, left }: Terms): void {
  countsOf(ring)[LEFT] = left;
  Atomics.store(ring.control, LENT, descriptor);
  Atomics.store(ring.control, FRAMING, framing);
  Atomics.store(ring.control, LOAN, loanStates.offered);
  wake(ring, DATA_SIGNAL);
}

function createBorrower(ring: Ring, onCut: (error: Error) => void): Borrower {
  return { isSlow: (timeMs) => peerSilentMs(ring.control) >= timeMs, cutOff: onCut };
}

/** Until the job has given it back, or has ended, with it or without. */
async function settle(ring: Ring, over: JobOver): Promise<Returned> {
  const { control } = ring;
  const changed = Symbol("changed");
  for (let isIntact: boolean | undefined; ;) {
    const state = Atomics.load(control, LOAN);
    if (state === loanStates.returned) return takeReturned(ring);
    if (isIntact === false || (isIntact === true && state === loanStates.taken)) return lost;
    if (isIntact === true && Atomics.compareExchange(control, LOAN, state, loanStates.none) === state) return untouched;
    const next = await Promise.race([changeOf(ring, LOAN, state).then(() => changed), over]);
    if (typeof next === "boolean") isIntact = next;
  }
}

function takeReturned(ring: Ring): Returned {
  const { control, data } = ring;
  const fillerBytes = Atomics.load(control, FILLER_BYTES);
  const nextBytes = Atomics.load(control, NEXT_BYTES);
  const bytes = Buffer.from(data.slice(0, fillerBytes + nextBytes));
  Atomics.store(control, LOAN, loanStates.none);
  const missedBytes = countsOf(ring)[MISSED] as number;
  return {
    missedBytes,
    filler: bytes.toString("latin1", 0, fillerBytes),
    next: bytes.subarray(fillerBytes),
    isLost: false,
  };
}
