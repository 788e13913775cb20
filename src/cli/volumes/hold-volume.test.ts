import { expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import type { Volume, VolumeDriver } from "../../volume/index.ts";
import { holdVolume } from "./hold-volume.ts";

const bornAt = new Date("2024-02-29T23:59:59.123Z");

/** One volume, which can be removed whoever holds it. */
function createDriver(volume: Omit<Volume, "name"> = { createdAt: bornAt }) {
  const holders = new Set<string>();
  let there: Omit<Volume, "name"> | undefined = volume;
  const found = () => {
    if (there === undefined) throw new CleatError("NOT_FOUND", "no such volume");
    return { name: "data", ...there };
  };
  const driver = {
    get: async () => found(),
    mount: async (_name: string, id: string) => (holders.add(id), "/data"),
    unmount: async (_name: string, id: string) => void (found(), holders.delete(id)),
  } as Partial<VolumeDriver> as VolumeDriver;
  return { driver, holders, replaceBy: (next: typeof there) => void (there = next) };
}

it("holds a volume while it is read, each reader for itself", async () => {
  const { driver, holders } = createDriver();
  await holdVolume("data", driver, async (path) => {
    expect([path, holders.size]).toEqual(["/data", 1]);
    await holdVolume("data", driver, async () => expect(holders.size).toBe(2));
    expect(holders.size).toBe(1);
  });
  expect(holders.size).toBe(0);
});

it("holds one whose driver does not tell its age", async () => {
  await holdVolume("data", createDriver({}).driver, async () => {});
});

it.each([
  ["removed", undefined],
  ["removed and made anew", { createdAt: new Date(bornAt.getTime() + 1) }],
])("says so when the volume was %s meanwhile", async (_, next) => {
  const { driver, replaceBy } = createDriver();
  const reading = holdVolume("data", driver, async () => replaceBy(next));
  await expect(reading).rejects.toMatchObject({ code: "ABORTED", message: expect.stringContaining('"data"') });
});

it("gives the volume back when reading fails, and says why that did", async () => {
  const { driver, holders, replaceBy } = createDriver();
  const fail = () => Promise.reject(new Error("disk is full"));
  await expect(holdVolume("data", driver, fail)).rejects.toThrow("disk is full");
  expect(holders.size).toBe(0);
  const stuck = { ...driver, unmount: () => Promise.reject(new Error("server is gone")) };
  await expect(holdVolume("data", stuck, fail)).rejects.toThrow(/^disk is full; .*: server is gone$/);
  const failInNothing = () => (replaceBy(undefined), fail());
  await expect(holdVolume("data", driver, failInNothing)).rejects.toThrow("disk is full");
});
