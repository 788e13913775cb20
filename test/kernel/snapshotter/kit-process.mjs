/** The kit in a process of its own, for a mount namespace of its own. Prints each result as a line of JSON. */
import { inspect } from "node:util";

import { runSnapshotterKit } from "cleat/testing";
import { openers } from "./openers.mjs";

const { driver, opener, ...options } = JSON.parse(process.argv[2]);

await runSnapshotterKit({
  ...options,
  reuse: true,
  timeoutMs: 240_000,
  open: openers[opener](driver),
  onResult: ({ error, ...result }) => console.log(JSON.stringify({ ...result, error: error && inspect(error) })),
});
