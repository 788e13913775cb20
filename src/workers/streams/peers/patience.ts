/**
 * How long who gave up waits for what was done to be undone. Jobs look at each step whether they are wanted, so that
 * nearly all are undone by then; a parent that is copied anew, or a disk that hangs, is not waited for.
 */
export const undoPatienceMs = 60;
