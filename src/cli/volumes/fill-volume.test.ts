import { expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import type { VolumeDriver } from "../../volume/index.ts";
import { fillNewVolume } from "./fill-volume.ts";

const refusal = (code: "FAILED_PRECONDITION" | "INVALID_ARGUMENT", message: string) => () =>
  Promise.reject(new CleatError(code, message));
const full = refusal("INVALID_ARGUMENT", "it is no archive");
const busy = refusal("FAILED_PRECONDITION", "it is busy");

/** What a driver has, and what it was asked. */
function createDriver(overrides: Partial<VolumeDriver> = {}) {
  const volumes = new Map<string, Date>();
  const asked: string[] = [];
  const driver = {
    list: async () => Array.from(volumes.keys()).map((name) => ({ name })),
    get: async (name: string) => ({ name, createdAt: volumes.get(name) }),
    create: async (name: string) => {
      if (!volumes.has(name)) volumes.set(name, new Date());
    },
    mount: async (name: string) => (asked.push("mount"), `/${name}`),
    unmount: async () => void asked.push("unmount"),
    remove: async (name: string) => void (asked.push("remove"), volumes.delete(name)),
    ...overrides,
  } as Partial<VolumeDriver> as VolumeDriver;
  return { driver, volumes, asked };
}
const fillIn = (driver: VolumeDriver, fill: () => Promise<void>) => fillNewVolume("data", {}, driver, fill);

it("makes a volume, and fills it", async () => {
  const { driver, asked, volumes } = createDriver();
  await fillIn(driver, async () => {});
  expect({ asked, names: [...volumes.keys()] }).toEqual({ asked: ["mount", "unmount"], names: ["data"] });
});

it("leaves none that it cannot fill", async () => {
  const { driver, asked, volumes } = createDriver();
  await expect(fillIn(driver, full)).rejects.toMatchObject({ code: "INVALID_ARGUMENT", message: "it is no archive" });
  expect({ asked, size: volumes.size }).toEqual({ asked: ["mount", "unmount", "remove"], size: 0 });
});

it("touches none that somebody else has made since it looked", async () => {
  const recentMs = Date.now() - 5;
  const wholeMs = Math.floor(recentMs / 1000) * 1000 - 2000;
  for (const bornMs of [recentMs % 1000 === 0 ? recentMs - 1 : recentMs, wholeMs]) {
    const { driver, asked, volumes } = createDriver({ list: async () => [] });
    volumes.set("data", new Date(bornMs));
    await expect(fillIn(driver, full)).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    expect({ asked, size: volumes.size }).toEqual({ asked: [], size: 1 });
  }
});

it("takes one for its own whose driver tells no age, or only its second", async () => {
  for (const createdAt of [undefined, new Date(Math.floor(Date.now() / 1000) * 1000)]) {
    const { driver } = createDriver({ get: async (name) => ({ name, createdAt }) });
    await fillIn(driver, async () => {});
  }
});

it("says why it cannot be filled, and what is left, where that cannot be removed", async () => {
  const { driver } = createDriver({ unmount: busy, remove: busy });
  const failure = await fillIn(driver, full).catch((error: unknown) => error as CleatError);
  expect(failure).toMatchObject({
    code: "INVALID_ARGUMENT",
    message:
      'it is no archive; volume "data" is left, which holds a part of it: it cannot be unmounted: it is busy; ' +
      "it cannot be removed: it is busy",
    cause: { errors: [{ message: "it is no archive" }, { message: "it is busy" }, { message: "it is busy" }] },
  });
});

it("keeps a whole one that cannot be given back", async () => {
  const { driver, asked, volumes } = createDriver({ unmount: busy });
  await expect(fillIn(driver, async () => {})).rejects.toMatchObject({
    code: "FAILED_PRECONDITION",
    message: 'volume "data" is restored and whole, but counts as in use: it is busy',
  });
  expect({ asked, size: volumes.size }).toEqual({ asked: ["mount"], size: 1 });
});
