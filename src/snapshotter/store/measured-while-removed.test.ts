import { expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { createSimulatedDisk } from "../../state/journal/simulated-disk.test.support.ts";
import { createMemoryStorage, createPlaces } from "../conformance/memory-storage.test.support.ts";
import { openOverFiles } from "./open-snapshotter.ts";

it.each(["active", "committed"])("an %s snapshot that is removed while it is measured is not found", async (kind) => {
  const places = createPlaces();
  const snapshotter = await openOverFiles(createSimulatedDisk(), createMemoryStorage(places));
  await snapshotter.prepare("active", {});
  let begin = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  let goOn = () => {};
  const removed = new Promise<void>((resolve) => (goOn = resolve));
  places.beforeStep = async (step) => {
    if (step !== "usage") return;
    begin();
    await removed;
    throw new CleatError("ABORTED", "layer was changed or removed while it was read");
  };
  if (kind === "committed") await snapshotter.commit("committed", "active", {});
  const measured = snapshotter.usage(kind);
  await begun;
  await snapshotter.remove(kind);
  goOn();
  await expect(measured).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining(`"${kind}"`) });
  await snapshotter.close();
});
