/** Commands that write several files, ended by a signal in the middle. */
import { watch } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { cleat, folder } from "./run.test.support.ts";

it.each([
  ["units", () => ["units", "--write", folder]],
  ["new", () => ["new", "volume", "mine", "--folder", join(folder, "mine")]],
])("%s leaves none of them", async (_, argv) => {
  const watcher = watch(folder, () => process.emit("SIGUSR2", "SIGUSR2"));
  try {
    expect(await cleat(argv())).toMatchObject({ code: 1, out: "", err: "cleat: it was interrupted\n" });
    expect(await readdir(folder)).toEqual([]);
  } finally {
    watcher.close();
  }
});
