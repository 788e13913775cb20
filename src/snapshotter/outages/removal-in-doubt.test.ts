import { constants } from "node:os";
import { expect, it } from "vitest";
import { SystemError } from "../../errors/index.ts";
import type { JournalFiles } from "../../state/kit.ts";
import { createSimulatedDisk } from "../../state/journal/simulated-disk.test.support.ts";
import { createMemoryStorage, createPlaces } from "../conformance/memory-storage.test.support.ts";
import { openOverFiles } from "../store/open-snapshotter.ts";

it("a clean-up leaves the place of a removal that is not on the disk yet, and may be refused", async () => {
  const disk = createSimulatedDisk();
  let hold: Promise<void> | undefined;
  const files: JournalFiles = {
    ...disk,
    async open(name, lengthBytes) {
      const file = await disk.open(name, lengthBytes);
      return {
        ...file,
        append: (bytes) => file.append(bytes),
        sync: () => file.sync(),
        truncate: (length) => file.truncate(length),
        async appendDurably(bytes) {
          if (hold === undefined) return file.appendDurably(bytes);
          await hold;
          throw new SystemError(constants.errno.ENOSPC, "write");
        },
      };
    },
  };
  const places = createPlaces();
  const snapshotter = await openOverFiles(files, createMemoryStorage(places));
  await snapshotter.prepare("k", {});
  await snapshotter.prepare("gone", {});
  await snapshotter.remove("gone");
  let refuse = () => {};
  hold = new Promise<void>((resolve) => (refuse = resolve));
  const removal = snapshotter.remove("k");
  removal.catch(() => {});
  await snapshotter.cleanup?.();
  expect([...places.made.keys()]).toEqual([1]);
  refuse();
  await expect(removal).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  hold = undefined;
  expect(await snapshotter.mounts("k")).not.toEqual([]);
  await snapshotter.remove("k");
  await snapshotter.cleanup?.();
  expect([...places.made.keys()]).toEqual([]);
  await snapshotter.close();
});
