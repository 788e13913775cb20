import { expect, it } from "vitest";
import { SystemError } from "../../../errors/index.ts";
import type { GraphDriverMethods, ListedLayer } from "../../driver.ts";
import { statusWithTroubles } from "./layer-troubles.ts";

function statusOf(list: () => AsyncGenerator<ListedLayer, void>) {
  const driver = { status: async () => [["Backing", "ext4"]], list } as unknown as GraphDriverMethods;
  return statusWithTroubles(driver)();
}

const layer = (id: string, more: Partial<ListedLayer> = {}): ListedLayer => ({
  id,
  parent: undefined,
  kind: "unknown",
  ...more,
});

it("tells nothing of layers in which nothing is wrong", async () => {
  const rows = statusOf(async function* () {
    yield layer("a");
  });
  expect(await rows).toEqual([["Backing", "ext4"]]);
});

it("tells which layers cannot be read, the first ones, and which contradict others", async () => {
  const rows = statusOf(async function* () {
    for (const id of ["a", "b", "c", "d", "e"]) yield layer(id, { unreadable: "EIO" });
    yield layer("f", { misfit: "its link leads elsewhere" });
  });
  expect(await rows).toEqual([
    ["Backing", "ext4"],
    ["Unreadable Layers", "a: EIO; b: EIO; c: EIO; and 2 more (see cleat fsck)"],
    ["Contradictory Layers", "f: its link leads elsewhere (see cleat fsck)"],
  ]);
});

it("answers also while layers cannot be listed at all", async () => {
  const rows = statusOf(async function* () {
    yield layer("a");
    throw new SystemError(5, "getdents64", "/home");
  });
  const [own, told] = await rows;
  expect(own).toEqual(["Backing", "ext4"]);
  expect(told).toEqual(["Unreadable Layers", expect.stringMatching(/cannot be listed: EIO/)]);
});

it("lists the layers of a large store for one in many who ask", async () => {
  let nowMs = 0;
  let lists = 0;
  let count = 1_000;
  const list = async function* () {
    lists += 1;
    nowMs += 1_000;
    yield layer("a", { unreadable: `EIO ${lists}` });
    for (let at = 1; at < count; at++) yield layer(`b${at}`);
  };
  const driver = { status: async () => [], list } as unknown as GraphDriverMethods;
  const status = statusWithTroubles(driver, () => nowMs);
  const told = async () => (await status()).map(([, text]) => text);
  expect(await told()).toEqual(["a: EIO 1 (see cleat fsck)"]);
  nowMs += 19_000;
  expect(await told()).toEqual(["a: EIO 1 (see cleat fsck)"]);
  nowMs += 2_000;
  expect(await told()).toEqual(["a: EIO 2 (see cleat fsck)"]);
  nowMs += 30_000;
  count = 999;
  for (const nth of [3, 4]) expect(await told()).toEqual([`a: EIO ${nth} (see cleat fsck)`]);
});

it("keeps no trouble of however slow a store back for longer than half a minute", async () => {
  let nowMs = 0;
  let problem: string | undefined;
  const list = async function* () {
    nowMs += 60_000;
    yield layer("a", problem === undefined ? {} : { unreadable: problem });
    for (let at = 1; at < 1_000; at++) yield layer(`b${at}`);
  };
  const driver = { status: async () => [], list } as unknown as GraphDriverMethods;
  const status = statusWithTroubles(driver, () => nowMs);
  expect(await status()).toEqual([]);
  problem = "EIO";
  nowMs += 30_000;
  expect(await status()).toEqual([["Unreadable Layers", "a: EIO (see cleat fsck)"]]);
});
