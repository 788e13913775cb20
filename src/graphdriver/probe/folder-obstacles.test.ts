import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { unwritable } from "./folder-obstacles.ts";

it("takes nothing of the kernel's own for a folder where files stay, whoever asks", () => {
  expect(unwritable(tmpdir())).toBe(undefined);
  for (const [folder, fileSystem] of [
    ["/proc", "proc"],
    ["/sys", "sysfs"],
  ] as const) {
    const { needed, seen } = unwritable(folder) ?? {};
    const asRoot = { needed: "a file system that keeps files", seen: fileSystem };
    if (process.geteuid?.() === 0) expect({ needed, seen }).toEqual(asRoot);
    else expect(needed).toBe("a folder that this user may write");
  }
});
