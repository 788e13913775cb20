import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

/** On a disk, where `/tmp` often is memory; the engines' data would fill that. */
export const scratchBase = "/var/tmp";

/** A folder of one test's own, removed with all that is in it. */
export interface Scratch extends AsyncDisposable {
  readonly path: string;
}

export async function createScratch(): Promise<Scratch> {
  const path = await mkdtemp(join(scratchBase, "cleat-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
