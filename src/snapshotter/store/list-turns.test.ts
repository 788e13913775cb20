import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { createSimulatedDisk } from "../../state/journal/simulated-disk.test.support.ts";
import { createMemoryStorage, createPlaces } from "../conformance/memory-storage.test.support.ts";
import { openOverFiles } from "./open-snapshotter.ts";

it("a list whose filter takes long lets others have their turn, and ends when it is given up", async () => {
  const snapshotter = await openOverFiles(createSimulatedDisk(), createMemoryStorage(createPlaces()));
  for (let number = 0; number < 60; number++) await snapshotter.prepare(`${number}${"x".repeat(300)}`, {});
  const givenUp = new AbortController();
  let turns = 0;
  const list = async () => {
    for await (const info of snapshotter.list(["name~=/(x?){600}y/"], { signal: givenUp.signal })) expect(info).toBe(0);
  };
  let isOver = false;
  const ended = list()
    .catch((error: unknown) => error)
    .finally(() => (isOver = true));
  for (; !isOver; turns++) {
    await nextTurn();
    if (turns === 20) givenUp.abort(new Error("nobody waits for it"));
  }
  expect(turns).toBeGreaterThan(20);
  expect(await ended).toMatchObject({ code: "CANCELLED", cause: new Error("nobody waits for it") });
  await snapshotter.close();
});
