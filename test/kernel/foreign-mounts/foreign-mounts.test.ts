/** What is mounted in something that is removed is not of it, and stays, however the removal comes to it. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWith, needs } from "../../needs.ts";
import { type LoopFileSystem, runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

const script = join(import.meta.dirname, "remove.mjs");

async function remove(way: string, fileSystem?: LoopFileSystem): Promise<unknown> {
  const lines: string[] = [];
  await runWithPrivateMounts((folder) => [process.execPath, script, way, folder], {
    fileSystem,
    onLine: (line) => void lines.push(line),
  });
  return JSON.parse(lines.join("\n"));
}

const untouched = { left: ["folder", "folder/file"], isReadOnly: "ro=true" };

describeWith([needs.root], "what somebody has mounted in a store", () => {
  test.each(["a removal before Linux 5.6", "the end of a repair", "the deletion of a volume"])(
    "is left alone by %s",
    async (way) => {
      expect(await remove(way)).toEqual({ ...untouched, failure: "EBUSY" });
    },
  );

  test("is left alone by a deletion that was ordered when another volume had the name", async () => {
    expect(await remove("a deletion that was ordered before")).toEqual({ ...untouched, failure: "none" });
  });

  test("is unmounted when a store is opened that a killed process left with mounts in one another", async () => {
    expect(await remove("the opening of a store")).toEqual({ ...untouched, failure: "none" });
  });
});

describeWith([needs.root, needs.loopDevices, needs.btrfs], "what somebody has mounted in a subvolume", () => {
  test.each([
    // The kernel takes the mount away with the subvolume.
    ["a removal on btrfs", "none"],
    ["a removal on a full btrfs", "EBUSY"],
  ])("is left alone by %s", async (way, failure) => {
    expect(await remove(way, "btrfs")).toEqual({ ...untouched, failure });
  });
});
