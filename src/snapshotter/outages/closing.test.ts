import { constants } from "node:os";
import { expect, it } from "vitest";
import { SystemError } from "../../errors/index.ts";
import { createSimulatedDisk } from "../../state/journal/simulated-disk.test.support.ts";
import { createMemoryStorage, createPlaces } from "../conformance/memory-storage.test.support.ts";
import { openOverFiles } from "../store/open-snapshotter.ts";

it("gives its lock back, and closes its folder, where the disk fails to close a file", async () => {
  const disk = createSimulatedDisk();
  const closed: string[] = [];
  const files = {
    ...disk,
    async open(name: string, lengthBytes: number) {
      const file = await disk.open(name, lengthBytes);
      return { ...file, close: () => Promise.reject(new SystemError(constants.errno.EIO, "close")) };
    },
    close: async () => void closed.push("folder"),
  };
  const storage = createMemoryStorage(createPlaces());
  const snapshotter = await openOverFiles(files, storage, { release: async () => void closed.push("lock") });
  await expect(snapshotter.close()).rejects.toMatchObject({ code: "EIO" });
  expect(closed).toEqual(["folder", "lock"]);
});
