import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { toCleatError } from "../errors/index.ts";

/** Writes a file beside its place and renames it there, so that nobody reads a half of it. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const beside = `${path}.${randomUUID()}`;
  try {
    await writeFile(beside, text, { flag: "wx" });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw toCleatError(error, `file ${JSON.stringify(path)}`);
  }
}
