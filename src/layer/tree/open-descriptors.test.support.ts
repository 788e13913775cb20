/** Counts descriptors, for tests that look at how many are open at once. Not published. */
import type * as syscalls from "../../syscall/index.ts";

export interface DescriptorCounts {
  /** Now. */
  open: number;
  /** At once. */
  most: number;
  /** In all. */
  opened: number;
}

/** The system calls, to be mocked by, which note in `counts` what they open and close. */
export function countingDescriptors(original: typeof syscalls, counts: DescriptorCounts): typeof syscalls {
  const counting = <Args extends readonly unknown[]>(open: (...args: Args) => number) => {
    return (...args: Args): number => {
      const descriptor = open(...args);
      if (descriptor < 0) return descriptor;
      counts.opened += 1;
      counts.open += 1;
      counts.most = Math.max(counts.most, counts.open);
      return descriptor;
    };
  };
  return {
    ...original,
    openat: counting(original.openat),
    openat2: counting(original.openat2),
    openPath: counting(original.openPath),
    tryOpenat: counting(original.tryOpenat),
    close(descriptor: number) {
      counts.open -= 1;
      original.close(descriptor);
    },
    withDescriptor(descriptor, visit) {
      try {
        return original.withDescriptor(descriptor, visit);
      } finally {
        counts.open -= 1;
      }
    },
  };
}
