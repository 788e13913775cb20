#!/usr/bin/env node
import { run } from "./run.ts";
import { openStandardOutput } from "./terminal/standard-output.ts";

const code = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: openStandardOutput(process.stdout),
  stderr: openStandardOutput(process.stderr),
  env: process.env,
  uid: process.getuid?.() ?? 0,
  closingSignals: ["SIGTERM", "SIGINT", "SIGHUP"],
});

// All output is out. What was given up may still go on, as the look-up of a host's name or a read from a terminal;
// nobody waits for it.
process.exit(code);
