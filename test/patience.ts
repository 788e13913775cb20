/** `waitFor` and `waitUntil` give up after a second, which vitest 4.1 has no setting for; machines are slower. */
import { vi } from "vitest";

const { waitFor, waitUntil } = vi;
const timeout = 30_000;

vi.waitFor = (callback, options = {}) =>
  waitFor(callback, typeof options === "number" ? options : { timeout, ...options });
vi.waitUntil = (callback, options = {}) =>
  waitUntil(callback, typeof options === "number" ? options : { timeout, ...options });
