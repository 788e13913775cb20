import { vi } from "vitest";

/**
 * Of tests that measure how long something takes: a busy machine may stand still for a while, and is asked again. What
 * is slow by itself is slow each time.
 */
export const timed = { retry: 3 };

/** Both give up after a second, which vitest 4.1 has no setting for; machines are slower. */
const { waitFor, waitUntil } = vi;
const timeout = 30_000;

vi.waitFor = (callback, options = {}) =>
  waitFor(callback, typeof options === "number" ? options : { timeout, ...options });
vi.waitUntil = (callback, options = {}) =>
  waitUntil(callback, typeof options === "number" ? options : { timeout, ...options });
