/** Hosts that share the backend of a plugin. Mounts are in test/kernel/csi.test.ts. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createMemoryVolumes } from "../../volume/memory-volumes.test.support.ts";
import { serveCsi } from "../csi.test.support.ts";
import { openCsiVolumes } from "../index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-csi-hosts-"));
});
afterEach(() => rm(folder, { recursive: true }));

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
