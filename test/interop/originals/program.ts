import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { buildOriginal } from "./original.ts";

/** The path of moby's host, built before the first test of a suite and removed after the last. */
export function useOriginal(): () => string {
  let folder: string;
  let program: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cleat-go-"));
    program = await buildOriginal(folder);
  });
  afterAll(() => rm(folder, { recursive: true }));
  return () => program;
}
