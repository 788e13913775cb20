import { describe, expect, it } from "vitest";
import { CleatError } from "../errors/index.ts";
import { createdAt, createMemoryVolumes } from "../volume/memory-volumes.test.support.ts";
import { oneNode, serveCsi } from "./csi.test.support.ts";
import type { HeldVolumes } from "./index.ts";

const from = { sourceOption: "from" };
const target = "/var/lib/kubelet/pods/1/volumes/mount";

function createDriver(overrides: Partial<HeldVolumes> = {}): HeldVolumes {
  const { driver } = createMemoryVolumes({ capabilities: async () => ({ scope: "local" }) });
  return { ...driver, ...overrides };
}

async function serve(driver = createDriver(), options: Parameters<typeof serveCsi>[1] = from) {
  const csi = await serveCsi(driver, options);
  const { controller } = csi;
  return Object.assign(csi, {
    driver,
    create: (name: string, more: Partial<Parameters<typeof controller.createVolume>[0]> = {}) =>
      controller.createVolume({ name, volume_capabilities: oneNode, ...more }),
    snapshot: async (name: string, source_volume_id: string) =>
      (await controller.createSnapshot({ name, source_volume_id })).snapshot,
    ids: async (wanted: Parameters<typeof controller.listSnapshots>[0] = {}) =>
      (await controller.listSnapshots(wanted)).entries.map(({ snapshot }) => snapshot?.snapshot_id),
  });
}

const ofVolume = (volume_id: string) => ({ volume_content_source: { volume: { volume_id } } });
const ofSnapshot = (snapshot_id: string) => ({ volume_content_source: { snapshot: { snapshot_id } } });

describe("snapshots", () => {
  it("are made once however often they are asked for, also when their source is gone meanwhile", async () => {
    await using csi = await serve();
    await csi.create("v");
    const snapshot = await csi.snapshot("s", "v");
    expect(snapshot).toEqual({
      snapshot_id: "csi-snapshot.s",
      source_volume_id: "v",
      size_bytes: 0n,
      creation_time: { seconds: BigInt(Math.floor(createdAt.getTime() / 1000)), nanos: 123_000_000 },
      ready_to_use: true,
    });
    expect(await csi.snapshot("s", "v")).toEqual(snapshot);
    await csi.controller.deleteVolume({ volume_id: "v" });
    expect(await csi.snapshot("s", "v")).toEqual(snapshot);
    await expect(csi.snapshot("t", "v")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("have ids that are no longer than a text may be, each its own", async () => {
    await using csi = await serve();
    await csi.create("v");
    const names = ["x".repeat(128), `${"x".repeat(127)}y`, "x".repeat(115), "ü and spaces"];
    const ids = await Promise.all(names.map(async (name) => (await csi.snapshot(name, "v"))?.snapshot_id ?? ""));
    for (const id of ids) expect(Buffer.byteLength(id)).toBeLessThanOrEqual(128);
    expect(new Set(ids).size).toBe(names.length);
    expect((await csi.snapshot(names[0] ?? "", "v"))?.snapshot_id).toBe(ids[0]);
  });

  it("of one name are of one volume, and of a volume", async () => {
    await using csi = await serve();
    for (const name of ["v", "w"]) await csi.create(name);
    await csi.snapshot("s", "v");
    for (const other of ["w", "gone"]) {
      await expect(csi.snapshot("s", other)).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    }
    for (const source of ["gone", "../v", "csi-snapshot.s"]) {
      await expect(csi.snapshot("t", source)).rejects.toMatchObject({ code: "NOT_FOUND" });
    }
    await expect(csi.snapshot("t", "")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    for (const name of ["", "a\u0007", "é".repeat(65)]) {
      await expect(csi.snapshot(name, "v")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });

  it("are no volumes: they are neither listed, published nor deleted as such, nor volumes as snapshots", async () => {
    await using csi = await serve();
    await csi.create("v");
    const { snapshot_id: volume_id = "" } = (await csi.snapshot("s", "v")) ?? {};
    const volumes = (await csi.controller.listVolumes({})).entries;
    expect(volumes.map(({ volume }) => volume?.volume_id)).toEqual(["v"]);
    const asVolume = [
      csi.node.nodePublishVolume({ volume_id, target_path: target, volume_capability: oneNode[0] }),
      csi.controller.validateVolumeCapabilities({ volume_id, volume_capabilities: oneNode }),
      csi.node.nodeGetVolumeStats({ volume_id, volume_path: target }),
      csi.create("w", ofVolume(volume_id)),
      csi.create("w", ofSnapshot("v")),
      csi.create("w", ofSnapshot("csi-snapshot.other")),
    ];
    for (const wrong of asVolume) await expect(wrong).rejects.toMatchObject({ code: "NOT_FOUND" });
    await csi.controller.deleteVolume({ volume_id });
    await csi.controller.deleteSnapshot({ snapshot_id: "v" });
    expect((await csi.driver.list()).map(({ name }) => name)).toEqual(["v", volume_id]);
    for (let times = 0; times < 2; times++) await csi.controller.deleteSnapshot({ snapshot_id: volume_id });
    expect(await csi.ids()).toEqual([]);
    await expect(csi.controller.deleteSnapshot({})).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("are listed by source, by id and in pages that hold still while others come and go", async () => {
    await using csi = await serve();
    for (const name of ["v", "w"]) await csi.create(name);
    for (const name of ["a", "b", "c", "d"]) await csi.snapshot(name, "v");
    await csi.snapshot("e", "w");
    const id = (name: string) => `csi-snapshot.${name}`;
    expect(await csi.ids({ source_volume_id: "w" })).toEqual([id("e")]);
    expect(await csi.ids({ snapshot_id: id("b") })).toEqual([id("b")]);
    for (const none of [{ snapshot_id: id("x") }, { source_volume_id: "x" }, { snapshot_id: "v" }]) {
      expect(await csi.ids(none)).toEqual([]);
    }
    expect(await csi.ids({ source_volume_id: "w", snapshot_id: id("b") })).toEqual([]);
    const page = (starting_token = "") => csi.controller.listSnapshots({ max_entries: 2, starting_token });
    const first = await page();
    expect(first.entries.map(({ snapshot }) => snapshot?.source_volume_id)).toEqual(["v", "v"]);
    await csi.controller.deleteSnapshot({ snapshot_id: id("b") });
    await csi.snapshot("aa", "v");
    const second = await page(first.next_token);
    expect(second.entries.map(({ snapshot }) => snapshot?.snapshot_id)).toEqual([id("c"), id("d")]);
    const third = await page(second.next_token);
    expect([third.entries.map(({ snapshot }) => snapshot?.snapshot_id), third.next_token]).toEqual([[id("e")], ""]);
    await expect(page("invalid-token")).rejects.toMatchObject({ code: "ABORTED" });
    await expect(csi.controller.listSnapshots({ max_entries: -1 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("are looked at a few at a time, however many are listed", async () => {
    const plain = createDriver();
    let [running, most] = [0, 0];
    const get: HeldVolumes["get"] = async (...asked) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return plain.get(...asked);
    };
    for (let at = 0; at < 300; at++) await plain.create(`csi-snapshot.${at}`, { options: { from: "v" } });
    await using csi = await serve({ ...plain, get });
    expect(new Set(await csi.ids()).size).toBe(300);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThan(100);
  });

  it("have the options that the driver says, and are refused for good of what it does not copy", async () => {
    const copyOptions = (name: string) => {
      if (name === "memory") throw new CleatError("UNIMPLEMENTED", "it goes when it is unmounted");
      return { type: "image", from: name };
    };
    await using csi = await serve(createDriver({ copyOptions }));
    for (const name of ["v", "memory"]) await csi.create(name);
    await csi.snapshot("s", "v");
    const { status } = await csi.driver.get("csi-snapshot.s");
    expect(status?.["Options"]).toEqual({ type: "image", from: "v" });
    await expect(csi.snapshot("t", "memory")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("are refused for good where the driver finds only when it makes them that it cannot", async () => {
    const plain = createDriver();
    const create: HeldVolumes["create"] = async (name, ...more) => {
      if (name.startsWith("csi-snapshot.")) throw new CleatError("UNIMPLEMENTED", "sizes are not enforced any more");
      await plain.create(name, ...more);
    };
    await using csi = await serve({ ...plain, create });
    await csi.create("v");
    await expect(csi.snapshot("s", "v")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("that are half removed are not ready, and are made anew when they are asked for", async () => {
    let isRemoving = true;
    const made: string[] = [];
    const plain = createDriver();
    const create: HeldVolumes["create"] = async (name, ...more) => {
      made.push(name);
      await plain.create(name, ...more);
    };
    await using csi = await serve({ ...plain, create, isWhole: (name) => name !== "csi-snapshot.s" || !isRemoving });
    await csi.create("v");
    expect(await csi.snapshot("s", "v")).toMatchObject({ ready_to_use: false });
    isRemoving = false;
    expect(await csi.snapshot("s", "v")).toMatchObject({ ready_to_use: true });
    isRemoving = true;
    expect((await csi.controller.listSnapshots({})).entries[0]?.snapshot?.ready_to_use).toBe(false);
    await csi.snapshot("s", "v");
    expect(made).toEqual(["v", "csi-snapshot.s", "csi-snapshot.s"]);
  });
});

describe("volumes made from others", () => {
  it("are not what was made from the other kind of source", async () => {
    await using csi = await serve();
    await csi.create("v");
    const id = (await csi.snapshot("s", "v"))?.snapshot_id ?? "";
    await csi.create("clone", ofVolume("v"));
    await csi.create("restored", ofSnapshot(id));
    for (const wrong of [csi.create("clone", ofSnapshot("v")), csi.create("restored", ofVolume(id))])
      await expect(wrong).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("are made anew of what is there, and as large, where one of that name is half removed", async () => {
    const plain = createDriver({ isWhole: (name) => name !== "half" });
    const create: HeldVolumes["create"] = async (name, ...more) => {
      if (name === "half") await plain.remove(name).catch(() => {});
      await plain.create(name, ...more);
    };
    await using csi = await serve({ ...plain, create }, { ...from, sizeOption: "size" });
    const sized = (required_bytes: bigint) => ({ capacity_range: { required_bytes } });
    await csi.create("half", sized(1024n));
    await csi.create("v", sized(4096n));
    const { volume } = await csi.create("half", { ...ofVolume("v"), ...sized(1024n) });
    expect(volume?.capacity_bytes).toBe(4096n);
    await expect(csi.create("half", ofVolume("gone"))).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("say of what, again when asked again, also when that is gone meanwhile", async () => {
    await using csi = await serve();
    await csi.create("v");
    const id = (await csi.snapshot("s", "v"))?.snapshot_id ?? "";
    for (const [name, source] of [
      ["clone", ofVolume("v")],
      ["restored", ofSnapshot(id)],
    ] as const) {
      const { volume } = await csi.create(name, source);
      expect(volume?.content_source).toMatchObject(source.volume_content_source);
      expect(await csi.create(name, source)).toEqual({ volume });
    }
    await csi.controller.deleteSnapshot({ snapshot_id: id });
    await csi.controller.deleteVolume({ volume_id: "v" });
    await csi.create("restored", ofSnapshot(id));
    for (const other of [ofVolume("v"), {}]) {
      await expect(csi.create("restored", other)).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    }
    const listed = (await csi.controller.listVolumes({})).entries.map(({ volume }) => volume?.content_source);
    expect(listed).toMatchObject([{ volume: { volume_id: "v" } }, { snapshot: { snapshot_id: id } }]);
    await expect(csi.create("later", ofVolume("v"))).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(csi.create("later", ofVolume(""))).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(csi.create("later", { volume_content_source: {} })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });

  it("are as large as those at the least, and refused where that may not be", async () => {
    await using csi = await serve(createDriver(), { ...from, sizeOption: "size" });
    const sized = (required_bytes: bigint, limit_bytes = 0n) => ({ capacity_range: { required_bytes, limit_bytes } });
    await csi.create("v", sized(4096n));
    const capacity = async (name: string, range: object) =>
      (await csi.create(name, { ...ofVolume("v"), ...range })).volume?.capacity_bytes;
    expect(await capacity("larger", sized(8192n))).toBe(8192n);
    for (const range of [sized(1024n), {}]) {
      for (let times = 0; times < 2; times++)
        expect(await capacity(`smaller-${"capacity_range" in range}`, range)).toBe(4096n);
    }
    await expect(capacity("limited", sized(1024n, 2048n))).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
    expect((await csi.driver.list()).map(({ name }) => name)).toEqual(["v", "larger", "smaller-true", "smaller-false"]);
  });
});

it("capacities are promised only of volumes that take a size", async () => {
  const takesOption: HeldVolumes["takesOption"] = (option, { type }) => option === "size" && type !== "nfs";
  await using csi = await serve(createDriver({ takesOption }), { sizeOption: "size" });
  const capacity_range = { required_bytes: 4096n };
  const create = async (type: string) => (await csi.create(type, { parameters: { type }, capacity_range })).volume;
  expect((await create("nfs"))?.capacity_bytes).toBe(0n);
  expect((await csi.driver.get("nfs")).status?.["Options"]).toEqual({ type: "nfs" });
  expect((await create("image"))?.capacity_bytes).toBe(4096n);
});

it("without a source option nothing is said of snapshots and clones, and none is made", async () => {
  const told = async (options: object) => {
    await using csi = await serve(createDriver(), options);
    const { capabilities } = await csi.controller.controllerGetCapabilities({});
    return capabilities.map(({ rpc }) => rpc?.type).filter((type) => /SNAPSHOT|CLONE/.test(type ?? ""));
  };
  expect(await told(from)).toEqual(["CLONE_VOLUME", "CREATE_DELETE_SNAPSHOT", "LIST_SNAPSHOTS"]);
  expect(await told({})).toEqual([]);
  await using csi = await serve(createDriver(), {});
  await csi.create("v");
  const { controller } = csi;
  for (const asked of [
    csi.snapshot("s", "v"),
    controller.listSnapshots({}),
    controller.deleteSnapshot({ snapshot_id: "csi-snapshot.s" }),
  ])
    await expect(asked).rejects.toMatchObject({ code: "UNIMPLEMENTED" });
  await expect(csi.create("w", ofVolume("v"))).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
});
