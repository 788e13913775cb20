import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openManagedVolumes } from "./open-managed-volumes.ts";

it("says in words why its folder cannot be there", async () => {
  const scratch = await mkdtemp(join(tmpdir(), "cleat-folders-"));
  const file = join(scratch, "file");
  await writeFile(file, "");
  try {
    for (const [folder, why] of [
      [file, "is not a folder"],
      [`${file}/x`, "cannot be made: a part of its path is not a folder"],
      ["/proc/x", "cannot be made: its file system takes no folders"],
    ] as const)
      await expect(openManagedVolumes({ name: "mine", folder, types: {}, defaultType: "x" })).rejects.toMatchObject({
        code: "FAILED_PRECONDITION",
        message: `folder "${folder}" ${why}`,
      });
  } finally {
    await rm(scratch, { recursive: true });
  }
});
