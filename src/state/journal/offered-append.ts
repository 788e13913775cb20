import { CleatError, SystemError } from "../../errors/index.ts";
import { endOffer, type OfferedWrite } from "../../syscall/index.ts";
import type { JournalFile } from "./journal-files.ts";

/** One of the two is called, once: either withdraws the write, or waits for the thread that has begun with it. */
export interface OfferedAppend {
  readonly write: OfferedWrite;
  /**
   * Resolves to whether the changes are durable; nothing is left of them where they are not.
   * @throws what `append` does when they could not be written, and UNAVAILABLE when a thread has died meanwhile.
   */
  settle(): Promise<boolean>;
  /**
   * What they are about has come to nothing: also what was written is cut off again. Nothing else is written where that
   * fails (`isBroken`).
   */
  takeBack(): Promise<void>;
}

/** `appended` is told of bytes that are durable, `failed` of why they are not, and rejects when it has cut them off. */
export function toOfferedAppend(
  to: JournalFile,
  write: OfferedWrite,
  appended: (lengthBytes: number) => void,
  failed: (to: JournalFile, error: unknown) => Promise<never>,
): OfferedAppend {
  /** Rejects with why they are not there. */
  const cutOff = (outcome: "written" | "abandoned" | SystemError) =>
    failed(to, outcome instanceof SystemError ? outcome : cameToNothing());
  return {
    write,
    async settle() {
      const outcome = await endOffer(write);
      if (outcome === "withdrawn") return false;
      if (outcome !== "written") return cutOff(outcome);
      to.wasAppended?.(write.bytes.length);
      appended(write.bytes.length);
      return true;
    },
    async takeBack() {
      const outcome = await endOffer(write);
      if (outcome !== "withdrawn") await cutOff(outcome).catch(() => {}); // whoever comes next is told
    },
  };
}

function cameToNothing(): CleatError {
  return new CleatError("UNAVAILABLE", "the thread that was to write them died, or what they are about failed");
}
