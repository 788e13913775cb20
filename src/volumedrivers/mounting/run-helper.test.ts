import { expect, it } from "vitest";
import { runHelper } from "./run-helper.ts";

it.each([
  ["mkfs: x: No space left on device", "RESOURCE_EXHAUSTED"],
  ["cp: x: Disk quota exceeded", "RESOURCE_EXHAUSTED"],
  ["cp: x: Permission denied", "UNKNOWN"],
])("says by its code whether a program found a full disk: %s", async (words, code) => {
  const failing = runHelper("sh", ["-c", 'echo "$1" >&2; exit 1', "sh", words]);
  await expect(failing).rejects.toMatchObject({ code, message: `sh: ${words}` });
});
