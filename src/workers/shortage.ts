/**
 * Whether a thread died for want of something that others give back when they are done: descriptors, memory, places in
 * the table of processes. Node tells of it in words where libuv or the loader of native modules met it.
 */
export function isShortage(error: Error): boolean {
  const code = "code" in error ? String(error.code) : "";
  return shortages.test(`${code} ${error.message}`);
}

const shortages =
  /\b(?:EMFILE|ENFILE|EAGAIN|ENOMEM|ERR_WORKER_INIT_FAILED)\b|too many open files|cannot allocate memory/i;
