import { lstatSync } from "node:fs";

/** Tells what has a path from all that may take its place; `undefined` where nothing has it. */
export function markOf(path: string): string | undefined {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}:${found.birthtimeNs}`;
}
