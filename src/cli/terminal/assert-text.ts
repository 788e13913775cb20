import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { UsageError } from "./command.ts";
import { quote } from "./command-line.ts";

/** What Node puts where bytes are not UTF-8. */
const replacement = "\u{fffd}";

/**
 * Node reads its command line as UTF-8, whatever it is: a path in other bytes would be another path, and made there.
 * @throws UsageError when a word is not text.
 */
export function assertText(argv: readonly string[]): void {
  const suspect = argv.find((word) => word.includes(replacement));
  if (suspect === undefined || isUtf8(readFileSync("/proc/self/cmdline"))) return;
  throw new UsageError(`${quote(suspect)} is not text in UTF-8`);
}
