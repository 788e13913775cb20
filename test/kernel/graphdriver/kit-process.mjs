/**
 * The kit in a process of its own, for a mount namespace of its own; and in JavaScript, because its worker threads are.
 * Prints each result as a line of JSON.
 */
import { inspect } from "node:util";

import { runGraphDriverKit } from "cleat/testing";
import { openers } from "./openers.mjs";

const { opener, ...subject } = JSON.parse(process.argv[2]);
const { folder, refusals, expectedFailures, only, options: fixed = [] } = subject;
const open = openers[opener](subject);

await runGraphDriverKit({
  open: (options) => open({ ...options, options: [...fixed, ...(options.options ?? [])] }),
  folder,
  only,
  refusals,
  expectedFailures,
  reuse: true,
  timeoutMs: 120_000,
  onResult: ({ error, ...result }) => console.log(JSON.stringify({ ...result, error: error && inspect(error) })),
});
