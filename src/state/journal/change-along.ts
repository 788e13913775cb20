import { type OfferedWrite, withdrawWrite } from "../../syscall/index.ts";
import type { ChangeQueue, ChangeTarget } from "./change-queue.ts";
import type { Journal } from "./journal.ts";
import type { OfferedAppend } from "./offered-append.ts";

/** The one change of a queue that a thread may be writing, which makes first what the change is about. */
export interface ChangeAlong<Change> {
  /** Offers it where there is no other, and nobody's change is being written or waits. */
  readonly make: ChangeQueue<Change>["changeAlong"];
  /** Resolves when no thread writes, and none begins. */
  withdraw(): Promise<void>;
}

export function createChangeAlong<Change>(
  journal: Journal<Change>,
  target: Pick<ChangeTarget<Change>, "apply" | "keep">,
  isIdle: () => boolean,
): ChangeAlong<Change> {
  /** Its end never rejects. */
  let offered: { readonly write: OfferedWrite; readonly ended: Promise<unknown> } | undefined;

  const offer = (wanted: Change): OfferedAppend | undefined => {
    if (offered !== undefined || !isIdle()) return undefined;
    target.apply(wanted)(); // what cannot be is not written
    return journal.offer([wanted]);
  };
  const workAlong = async (
    append: OfferedAppend,
    wanted: Change,
    work: (write: OfferedWrite) => Promise<void>,
  ): Promise<boolean> => {
    try {
      await work(append.write);
    } catch (error) {
      await append.takeBack(); // else it would be there for who opens it next
      throw error;
    }
    if (!(await append.settle())) return false;
    target.apply(wanted);
    target.keep(wanted);
    return true;
  };

  return {
    async make(wanted, work) {
      const append = offer(wanted);
      if (append === undefined) {
        await work(undefined);
        return false;
      }
      const ended = workAlong(append, wanted, work);
      const mine = { write: append.write, ended: ended.catch(() => {}) };
      offered = mine;
      try {
        return await ended;
      } finally {
        if (offered === mine) offered = undefined;
      }
    },
    async withdraw() {
      if (offered !== undefined && !withdrawWrite(offered.write)) await offered.ended;
      offered = undefined;
    },
  };
}
