import { expect, it } from "vitest";
import { createSimulatedDisk } from "../../state/journal/simulated-disk.test.support.ts";
import { createMemoryStorage, createPlaces } from "../conformance/memory-storage.test.support.ts";
import { openOverFiles } from "../store/open-snapshotter.ts";
import { createSnapshotsService } from "./serve-snapshots.ts";

it("under a second name everything may be looked at, and nothing changed", async () => {
  const local = await openOverFiles(createSimulatedDisk(), createMemoryStorage(createPlaces()));
  const methods = createSnapshotsService(local).implementation;
  const ask = async (method: string, snapshotter: string, request: object = {}): Promise<unknown> => {
    const answer = methods[method]?.({ snapshotter, key: "key", labels: {}, ...request } as never, {} as never);
    if (answer === undefined || !(Symbol.asyncIterator in answer)) return answer;
    const answers: unknown[] = [];
    for await (const one of answer) answers.push(one);
    return answers;
  };
  await ask("stat", "monitor").catch(() => {}); // who looks first is not the one
  await ask("prepare", "cleat");
  for (const method of ["stat", "mounts", "usage"]) await ask(method, "other");
  expect(await ask("list", "other", { filters: [] })).toHaveLength(1);
  const info = { name: "key", labels: {} };
  for (const method of ["prepare", "view", "commit", "update", "remove", "cleanup"]) {
    const change = ask(method, "other", method === "remove" ? {} : { key: "new", name: "new", info });
    await expect(change, method).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
  }
  await ask("remove", "cleat");
  await ask("prepare", "other");
  await local.close();
});

it("a name is not given away while what it has begun is not in the records yet", async () => {
  const places = createPlaces();
  let goOn = () => {};
  const making = new Promise<void>((resolve) => (goOn = resolve));
  const begun = new Promise<void>((resolve) => {
    places.beforeStep = async (step, id) => {
      if (step !== "create" || id !== 1) return;
      resolve();
      await making;
    };
  });
  const local = await openOverFiles(createSimulatedDisk(), createMemoryStorage(places));
  const { implementation } = createSnapshotsService(local);
  const prepare = async (snapshotter: string, key: string): Promise<unknown> =>
    implementation["prepare"]?.({ snapshotter, key, parent: "", labels: {} } as never, {} as never);
  const first = prepare("cleat", "one");
  await begun;
  await expect(prepare("other", "two")).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
  goOn();
  await first;
  await prepare("cleat", "three");
  await local.close();
});
