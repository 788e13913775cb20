import { isSystemError } from "../../errors/index.ts";
import { isThere } from "../../syscall/index.ts";

/** Why something on the disk cannot be read now, as the system says it: it may be whole. */
export class Unread {
  readonly problem: string;

  constructor(problem: string) {
    this.problem = problem;
  }
}

/** They say nothing of a file, and everybody would be held for damaged. */
const shortages: readonly string[] = ["EMFILE", "ENFILE", "ENOMEM"];

/** What `read` tells of one layer, or that it cannot be told now, which is to keep no other from being served. */
export function orUnread<T>(read: () => T): T | Unread {
  try {
    return read();
  } catch (error) {
    if (!isSystemError(error) || shortages.includes(error.code)) throw error;
    return new Unread(error.message);
  }
}

/** Whether it is known that nothing is there: what cannot be looked at now is not gone. */
export function isGone(path: string): boolean {
  return orUnread(() => isThere(path)) === false;
}
