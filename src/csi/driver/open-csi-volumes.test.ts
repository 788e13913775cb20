/** Hosts that share the backend of a plugin. Mounts are in test/kernel/csi/csi.test.ts. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ImplementedService } from "../../grpc/index.ts";
import { createMemoryVolumes } from "../../volume/memory-volumes.test.support.ts";
import { serveCsi, type ServeCsiOptions } from "../csi.test.support.ts";
import { controllerService, openCsiVolumes } from "../index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-csi-hosts-"));
});
afterEach(() => rm(folder, { recursive: true }));

type Made = { readonly volume: object };

const openHost = (host: string, unix: string) => openCsiVolumes({ name: "csi", folder: join(folder, host), unix });

it("volumes of one name on two hosts are two, and each host removes its own", async () => {
  const { driver: backend } = createMemoryVolumes();
  await using csi = await serveCsi(backend);
  const [one, other] = [await openHost("one", csi.unix), await openHost("other", csi.unix)];
  try {
    const long = "x".repeat(255);
    for (const host of [one, other]) for (const name of ["data", long]) await host.create(name);
    const names = (await backend.list()).map(({ name }) => name);
    expect(names).toHaveLength(4);
    await one.remove("data");
    await one.remove(long);
    expect((await backend.list()).map(({ name }) => name)).toEqual(names.slice(2));
    expect(await other.list()).toHaveLength(2);
  } finally {
    await one.close();
    await other.close();
  }
});

it("a volume that is not what was asked for is deleted, and refused: no clone, or smaller", async () => {
  const { driver: backend } = createMemoryVolumes();
  const wrong = { capacity_bytes: 1024n, content_source: undefined };
  let answer: Partial<typeof wrong> = {};
  const change: ServeCsiOptions["change"] = (services) =>
    services.map((service) => {
      if (service.service !== controllerService) return service;
      const createVolume: ImplementedService["implementation"][string] = async (...call) => {
        const made = (await service.implementation["createVolume"]?.(...call)) as Made;
        return { volume: { ...made.volume, ...answer } };
      };
      return { ...service, implementation: { ...service.implementation, createVolume } };
    });
  await using csi = await serveCsi(backend, { sourceOption: "from", sizeOption: "size" }, { change });
  const host = await openHost("one", csi.unix);
  try {
    await host.create("data", { options: { size: "4k" } });
    for (const [bad, options, message] of [
      [{ content_source: undefined }, { from: "data" }, /made a volume that is no clone/],
      [{ capacity_bytes: 1024n }, { size: "8k" }, /made a volume of 1024 bytes, and 8192 were asked for/],
    ] as const) {
      answer = bad;
      await expect(host.create("other", { options })).rejects.toMatchObject({
        code: "INTERNAL",
        message: expect.stringMatching(message) as string,
      });
      expect([await host.list(), await backend.list()]).toMatchObject([{ length: 1 }, { length: 1 }]);
    }
    answer = {};
    await host.create("other", { options: { from: "data", size: "8k" } });
    expect(await backend.list()).toHaveLength(2);
  } finally {
    await host.close();
  }
});

it("a volume of a name that others may have asked by is not deleted for one of which no answer is known", async () => {
  const { driver: backend } = createMemoryVolumes();
  await using csi = await serveCsi(backend);
  const host = await openHost("one", csi.unix);
  try {
    await host.create("data");
    const record = join(folder, "one/volumes/data/csi.json");
    await writeFile(record, JSON.stringify({ version: 1 })); // as it was written before names were recorded
    await backend.create("data"); // another host's
    await expect(host.remove("data")).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining(`and then "${record}"`) as string,
    });
    expect(await backend.list()).toHaveLength(2);
    await rm(record);
    await host.remove("data");
    expect(await host.list()).toEqual([]);
    expect(await backend.list()).toHaveLength(2);
  } finally {
    await host.close();
  }
});

it("says at once that nobody answers, and nothing once it is closed", async () => {
  const warned: object[] = [];
  const silent = () => {};
  const logger = { debug: silent, info: silent, error: silent, warn: (fields: object) => warned.push(fields) };
  const unix = join(folder, "nobody.sock");
  const host = await openCsiVolumes({ name: "csi", folder: join(folder, "host"), unix, logger });
  await expect.poll(() => warned).toEqual([{ socket: unix, error: expect.stringContaining("ENOENT") as string }]);
  await host.close();
  const closed = await openCsiVolumes({ name: "csi", folder: join(folder, "host"), unix, logger });
  await closed.close();
  expect(warned).toHaveLength(1);
});
