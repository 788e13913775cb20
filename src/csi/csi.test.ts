import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { CleatError } from "../errors/index.ts";
import { createMemoryVolumes } from "../volume/memory-volumes.test.support.ts";
import { mountable, oneNode, serveCsi } from "./csi.test.support.ts";
import type { CsiPluginOptions, HeldVolumes } from "./index.ts";

const local = () => createMemoryVolumes({ capabilities: async () => ({ scope: "local" }) });
const target = "/var/lib/kubelet/pods/1/volumes/mount";

describe("identity", () => {
  it("says who the plugin is and that its volumes are each node's own", async () => {
    await using csi = await serveCsi(local().driver);
    expect(await csi.identity.getPluginInfo({})).toMatchObject({
      name: "volumes.example.org",
      vendor_version: "1.2.3",
    });
    expect(await csi.identity.probe({})).toEqual({ ready: { value: true } });
    const { capabilities } = await csi.identity.getPluginCapabilities({});
    expect(capabilities.map(({ service }) => service?.type)).toEqual([
      "CONTROLLER_SERVICE",
      "VOLUME_ACCESSIBILITY_CONSTRAINTS",
    ]);
    expect(await csi.node.nodeGetInfo({})).toMatchObject({
      node_id: "node-1",
      accessible_topology: { segments: { "volumes.example.org/node": "node-1" } },
    });
  });

  it.each(["n".repeat(64), "node_", "-node", "node 1", "nöde"])(
    "names the place of a node %j as labels go",
    async (nodeId) => {
      await using csi = await serveCsi(local().driver, { nodeId });
      const { node_id, accessible_topology } = await csi.node.nodeGetInfo({});
      expect(node_id).toBe(nodeId);
      const { "volumes.example.org/node": place = "" } = accessible_topology?.segments ?? {};
      expect(place).toMatch(/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/);
      const accessibility_requirements = { requisite: [{ segments: { "volumes.example.org/node": place } }] };
      await csi.controller.createVolume({ name: "v", volume_capabilities: oneNode, accessibility_requirements });
    },
  );

  it("says nothing of places where all hosts see the same volumes", async () => {
    await using csi = await serveCsi(createMemoryVolumes().driver);
    const { capabilities } = await csi.identity.getPluginCapabilities({});
    expect(capabilities).toHaveLength(1);
    expect((await csi.node.nodeGetInfo({})).accessible_topology).toBeUndefined();
  });

  it.each(["", "-a", "a b", "x".repeat(64)])("refuses the plugin name %j", async (name) => {
    await expect(serveCsi(local().driver, { name })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("volumes", () => {
  it("are made once however often they are asked for, with parameters, secrets and size as options", async () => {
    const { driver } = local();
    await using csi = await serveCsi(driver, { sizeOption: "size" });
    const request = {
      name: "pvc-1",
      volume_capabilities: oneNode,
      parameters: { type: "tmpfs" },
      secrets: { password: "p" },
      capacity_range: { required_bytes: 4096n, limit_bytes: 8192n },
    };
    const { volume } = await csi.controller.createVolume(request);
    expect(volume).toMatchObject({
      volume_id: "pvc-1",
      capacity_bytes: 4096n,
      accessible_topology: [{ segments: { "volumes.example.org/node": "node-1" } }],
    });
    expect(await csi.controller.createVolume(request)).toEqual({ volume });
    const { status } = await driver.get("pvc-1");
    expect(status?.["Options"]).toEqual({ type: "tmpfs", password: "p", size: "4096" });
    const sized = (required_bytes: bigint, limit_bytes = 0n) =>
      csi.controller.createVolume({ ...request, capacity_range: { required_bytes, limit_bytes } });
    for (const fits of [sized(1n), sized(0n, 4096n)]) expect(await fits).toEqual({ volume });
    for (const other of [sized(4097n), sized(1n, 4095n)]) {
      await expect(other).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    }
  });

  it("take the names that Kubernetes adds to parameters for no options", async () => {
    const { driver } = local();
    await using csi = await serveCsi(driver, { sourceOption: "from" });
    const named = { type: "tmpfs", "csi.storage.k8s.io/pvc/name": "claim", "csi.storage.k8s.io/pv/name": "pvc-1" };
    await csi.controller.createVolume({ name: "pvc-1", volume_capabilities: oneNode, parameters: named });
    expect((await driver.get("pvc-1")).status?.["Options"]).toEqual({ type: "tmpfs" });
    const parameters = { "csi.storage.k8s.io/volumesnapshot/name": "snapshot" };
    await csi.controller.createSnapshot({ name: "s", source_volume_id: "pvc-1", parameters });
    expect((await driver.get("csi-snapshot.s")).status?.["Options"]).toEqual({ from: "pvc-1" });
  });

  it.each([
    ["no name", { name: "" }, "INVALID_ARGUMENT"],
    ["a name with control characters", { name: "a\u0007" }, "INVALID_ARGUMENT"],
    ["a name over 128 bytes", { name: "é".repeat(65) }, "INVALID_ARGUMENT"],
    ["no capability", { volume_capabilities: [] }, "INVALID_ARGUMENT"],
    ["a capability of no kind", { volume_capabilities: [{}] }, "INVALID_ARGUMENT"],
    [
      "a block device",
      { volume_capabilities: [{ block: {}, access_mode: { mode: "SINGLE_NODE_WRITER" as const } }] },
      "INVALID_ARGUMENT",
    ],
    ["no access mode", { volume_capabilities: [{ mount: {} }] }, "INVALID_ARGUMENT"],
    ["a file system", { volume_capabilities: [{ ...oneNode[0], mount: { fs_type: "xfs" } }] }, "INVALID_ARGUMENT"],
    ["several nodes", { volume_capabilities: [mountable("MULTI_NODE_MULTI_WRITER")] }, "INVALID_ARGUMENT"],
    ["more than it allows", { capacity_range: { required_bytes: 2n, limit_bytes: 1n } }, "OUT_OF_RANGE"],
    ["more than a number holds", { capacity_range: { required_bytes: 2n ** 62n } }, "OUT_OF_RANGE"],
    ["what its driver cannot do", { parameters: { type: "unable" } }, "INVALID_ARGUMENT"],
    ["less than nothing", { capacity_range: { required_bytes: -1n } }, "INVALID_ARGUMENT"],
    ["a source", { volume_content_source: { volume: { volume_id: "other" } } }, "INVALID_ARGUMENT"],
    [
      "another node",
      { accessibility_requirements: { requisite: [{ segments: { "volumes.example.org/node": "node-2" } }] } },
      "RESOURCE_EXHAUSTED",
    ],
  ])("are refused with %s", async (_, wrong, code) => {
    const { driver } = local();
    const create: typeof driver.create = async (name, ...more) => {
      if (more[0]?.options?.["type"] === "unable") throw new CleatError("UNIMPLEMENTED", "its disk has no quotas");
      await driver.create(name, ...more);
    };
    await using csi = await serveCsi({ ...driver, create }, { sizeOption: "size" });
    await expect(
      csi.controller.createVolume({ name: "v", volume_capabilities: oneNode, ...wrong }),
    ).rejects.toMatchObject({ code });
    expect(await driver.list()).toEqual([]);
  });

  it("may have any name: what the driver would not take becomes a digest, the same each time", async () => {
    await using csi = await serveCsi(local().driver);
    const create = async (name: string) =>
      (await csi.controller.createVolume({ name, volume_capabilities: oneNode })).volume?.volume_id;
    const names = ["../etc", "ü and spaces", "csi-digest.1", "csi-snapshot.1", "plain.name_1"];
    const ids = await Promise.all(names.map(create));
    expect(new Set(ids).size).toBe(names.length);
    expect(ids.slice(0, 4)).toEqual(ids.slice(0, 4).map(() => expect.stringMatching(/^csi-digest\.[0-9a-f]{64}$/)));
    expect(ids[4]).toBe("plain.name_1");
    expect(await Promise.all(names.map(create))).toEqual(ids);
  });

  it("are deleted also when they are gone, and not while they are published", async () => {
    await using csi = await serveCsi(local().driver);
    await csi.controller.createVolume({ name: "v", volume_capabilities: oneNode });
    await csi.node.nodePublishVolume({ volume_id: "v", target_path: target, volume_capability: oneNode[0] });
    await expect(csi.controller.deleteVolume({ volume_id: "v" })).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
    });
    await csi.node.nodeUnpublishVolume({ volume_id: "v", target_path: target });
    for (let times = 0; times < 2; times++) await csi.controller.deleteVolume({ volume_id: "v" });
    await csi.controller.deleteVolume({ volume_id: "../no/such" });
    await expect(csi.controller.deleteVolume({})).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("are listed in pages that hold still while volumes come and go", async () => {
    const { driver } = local();
    await using csi = await serveCsi(driver);
    for (const name of ["a", "b", "c", "d"]) await driver.create(name);
    const page = async (starting_token = "") => csi.controller.listVolumes({ max_entries: 2, starting_token });
    const first = await page();
    await driver.remove("b");
    await driver.create("aa");
    const second = await page(first.next_token);
    expect([...first.entries, ...second.entries].map(({ volume }) => volume?.volume_id)).toEqual(["a", "b", "c", "d"]);
    expect(second.next_token).toBe("");
    await expect(page("invalid-token")).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("are validated", async () => {
    await using csi = await serveCsi(local().driver);
    await csi.controller.createVolume({ name: "v", volume_capabilities: oneNode });
    const validate = (volume_id: string, volume_capabilities: typeof oneNode) =>
      csi.controller.validateVolumeCapabilities({ volume_id, volume_capabilities });
    expect((await validate("v", oneNode)).confirmed?.volume_capabilities).toHaveLength(1);
    const refused = await validate("v", [mountable("MULTI_NODE_MULTI_WRITER")]);
    expect(refused).toMatchObject({ confirmed: undefined, message: expect.stringContaining("MULTI_NODE") as string });
    await expect(validate("none", oneNode)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(validate("../none", oneNode)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(validate("v", [])).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("expansion", () => {
  /** Shows what it was given as drivers of Cleat do. */
  function growing(scope: "local" | "global") {
    const { driver } = createMemoryVolumes({ capabilities: async () => ({ scope }) });
    const sizes = new Map<string, number>();
    const get: typeof driver.get = async (name) => {
      const { status, ...volume } = await driver.get(name);
      const given = sizes.get(name);
      const options = { ...(status?.["Options"] as object), ...(given !== undefined && { size: String(given) }) };
      return { ...volume, status: { ...status, Options: options } };
    };
    const resize = async (name: string, sizeBytes: number) => {
      if (name === "fixed") throw new CleatError("UNIMPLEMENTED", "it has but one size");
      sizes.set(name, sizeBytes);
    };
    return { sizes, driver: { ...driver, get, resize } };
  }
  const made = (name: string, size: bigint) => ({
    name,
    volume_capabilities: oneNode,
    capacity_range: { required_bytes: size },
  });

  it("gives what is required, again when asked again, never less, and nothing beyond the limit", async () => {
    const { sizes, driver } = growing("local");
    await using csi = await serveCsi(driver, { sizeOption: "size", sourceOption: "from" });
    await csi.controller.createVolume(made("v", 4096n));
    await csi.node.nodePublishVolume({ volume_id: "v", target_path: target, volume_capability: oneNode[0] });
    const expand = (required_bytes: bigint, limit_bytes = 0n) =>
      csi.node.nodeExpandVolume({
        volume_id: "v",
        volume_path: target,
        capacity_range: { required_bytes, limit_bytes },
      });
    expect(await expand(1024n)).toEqual({ capacity_bytes: 4096n });
    expect(sizes.size).toBe(0);
    for (let times = 0; times < 2; times++) expect(await expand(8192n, 10_000n)).toEqual({ capacity_bytes: 8192n });
    expect(
      await csi.controller.controllerExpandVolume({ volume_id: "v", capacity_range: { required_bytes: 4096n } }),
    ).toEqual({ capacity_bytes: 8192n, node_expansion_required: false });
    expect([...sizes]).toEqual([["v", 8192]]);
    await expect(expand(0n, 4096n)).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
    await expect(expand(2n, 1n)).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
    await expect(expand(0n)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(csi.node.nodeExpandVolume({ volume_id: "v", volume_path: "/elsewhere" })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    await expect(csi.controller.controllerExpandVolume({ volume_id: "none" })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });

  it("makes nothing smaller, however close two calls follow each other", async () => {
    const { sizes, driver } = growing("local");
    const resize: typeof driver.resize = async (...resizing) => {
      await pause(20); // in which the others come
      await driver.resize(...resizing);
    };
    await using csi = await serveCsi({ ...driver, resize }, { sizeOption: "size" });
    await csi.controller.createVolume(made("v", 4096n));
    await csi.node.nodePublishVolume({ volume_id: "v", target_path: target, volume_capability: oneNode[0] });
    const byNode = (required_bytes: bigint) =>
      csi.node.nodeExpandVolume({ volume_id: "v", volume_path: target, capacity_range: { required_bytes } });
    const byController = (required_bytes: bigint) =>
      csi.controller.controllerExpandVolume({ volume_id: "v", capacity_range: { required_bytes } });
    const given = await Promise.all([byNode(16_384n), byNode(8192n), byController(12_288n)]);
    expect(given.map(({ capacity_bytes }) => capacity_bytes)).toEqual([16_384n, 16_384n, 16_384n]);
    expect(sizes.get("v")).toBe(16_384);
  });

  it("is refused for good where a volume has but one size, and for snapshots", async () => {
    const { driver } = growing("local");
    await using csi = await serveCsi(driver, { sizeOption: "size", sourceOption: "from" });
    await csi.controller.createVolume(made("fixed", 1n));
    const { snapshot } = await csi.controller.createSnapshot({ name: "s", source_volume_id: "fixed" });
    const expand = (volume_id = "") =>
      csi.controller.controllerExpandVolume({ volume_id, capacity_range: { required_bytes: 2n } });
    await expect(expand("fixed")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(expand(snapshot?.snapshot_id)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("is the node's where volumes are each node's own, and the controller's too where all hosts see them", async () => {
    const told = async (driver: HeldVolumes, options: Partial<CsiPluginOptions>) => {
      await using csi = await serveCsi(driver, options);
      const plugin = (await csi.identity.getPluginCapabilities({})).capabilities;
      const [controller, node] = [
        (await csi.controller.controllerGetCapabilities({})).capabilities,
        (await csi.node.nodeGetCapabilities({})).capabilities,
      ];
      return [
        plugin.find((one) => one.volume_expansion)?.volume_expansion?.type,
        controller.some(({ rpc }) => rpc?.type === "EXPAND_VOLUME"),
        node.some(({ rpc }) => rpc?.type === "EXPAND_VOLUME"),
      ];
    };
    const sized = { sizeOption: "size" };
    expect(await told(growing("local").driver, sized)).toEqual(["ONLINE", false, true]);
    expect(await told(growing("global").driver, sized)).toEqual(["ONLINE", true, true]);
    expect(await told(growing("global").driver, {})).toEqual([undefined, false, false]);
    expect(await told(local().driver, sized)).toEqual([undefined, false, false]);
  });
});
