import { CleatError } from "../../errors/index.ts";

/** How many bytes of requests one connection may make this process keep. */
export interface MemoryBudget {
  /** @throws RESOURCE_EXHAUSTED when there are not so many left; nothing is taken then. */
  take(bytes: number): void;
  give(bytes: number): void;
}

export function createMemoryBudget(limitBytes: number): MemoryBudget {
  let taken = 0;
  return {
    take(bytes) {
      if (taken + bytes > limitBytes) {
        const message = `connection has more than ${limitBytes} bytes of requests under way`;
        throw new CleatError("RESOURCE_EXHAUSTED", message);
      }
      taken += bytes;
    },
    give(bytes) {
      taken -= bytes;
    },
  };
}
