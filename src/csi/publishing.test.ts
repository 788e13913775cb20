import { describe, expect, it } from "vitest";
import { createMemoryVolumes } from "../volume/memory-volumes.test.support.ts";
import { createMemoryPublisher, mountable, oneNode, serveCsi } from "./csi.test.support.ts";
import { createCsiPlugin, nodeService } from "./index.ts";

const local = () => createMemoryVolumes({ capabilities: async () => ({ scope: "local" }) });
const target = "/var/lib/kubelet/pods/1/volumes/mount";

describe("publishing", () => {
  it("mounts for a target path, any number of times, and gives back", async () => {
    const { driver } = local();
    await using csi = await serveCsi(driver);
    await csi.controller.createVolume({ name: "v", volume_capabilities: oneNode });
    const capability = { ...oneNode[0], mount: { mount_flags: ["nosuid", "noatime"] } };
    const publish = { volume_id: "v", target_path: target, volume_capability: capability };
    for (let times = 0; times < 2; times++) await csi.node.nodePublishVolume(publish);
    expect(csi.shown.get(target)).toMatchObject({
      source: "/volumes/v",
      flags: { readonly: false, nosuid: true, accessTimes: "noatime" },
    });
    await expect(csi.node.nodePublishVolume({ ...publish, readonly: true })).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
    });
    expect((await driver.get("v")).status?.["Holders"]).toEqual([target]);
    expect((await csi.node.nodeGetVolumeStats({ volume_id: "v", volume_path: target })).usage).toHaveLength(2);
    for (let times = 0; times < 2; times++) await csi.node.nodeUnpublishVolume({ volume_id: "v", target_path: target });
    expect(csi.shown.size).toBe(0);
    expect((await driver.get("v")).status?.["Holders"]).toEqual([]);
    await driver.remove("v");
    await csi.node.nodeUnpublishVolume({ volume_id: "v", target_path: target });
  });

  it("knows a target by any spelling of its slashes", async () => {
    const { driver } = local();
    await using csi = await serveCsi(driver);
    await csi.controller.createVolume({ name: "v", volume_capabilities: oneNode });
    const volume_capability = mountable("SINGLE_NODE_SINGLE_WRITER");
    for (const target_path of ["/pods/a", "/pods//a/", "//pods/./a"]) {
      await csi.node.nodePublishVolume({ volume_id: "v", target_path, volume_capability });
      expect((await driver.get("v")).status?.["Holders"]).toEqual(["/pods/a"]);
    }
    await csi.node.nodeUnpublishVolume({ volume_id: "v", target_path: "/pods/a/" });
    expect((await driver.get("v")).status?.["Holders"]).toEqual([]);
  });

  it("lets one of several through that want a single writer's volume at once", async () => {
    const { driver } = local();
    await driver.create("v");
    const { shown, publisher } = createMemoryPublisher();
    const { services } = await createCsiPlugin({ driver, publisher, name: "test", version: "1", nodeId: "node-1" });
    const node = services.find(({ service }) => service === nodeService)?.implementation;
    const publish = node?.["nodePublishVolume"] as (request: object, call: object) => Promise<unknown>;
    const mount = { fs_type: "", mount_flags: [], volume_mount_group: "" };
    const volume_capability = { ...mountable("SINGLE_NODE_SINGLE_WRITER"), mount };
    const outcomes = await Promise.allSettled(
      ["/a", "/b", "/c"].map((target_path) =>
        publish({ volume_id: "v", target_path, volume_capability }, { signal: new AbortController().signal }),
      ),
    );
    expect(outcomes).toMatchObject([
      { status: "fulfilled" },
      ...["/b", "/c"].map(() => ({ status: "rejected", reason: { code: "FAILED_PRECONDITION" } })),
    ]);
    expect([[...shown.keys()], (await driver.get("v")).status?.["Holders"]]).toEqual([["/a"], ["/a"]]);
  });

  it("leaves alone what is shown where a volume that nobody knows is to be given back", async () => {
    const { driver } = local();
    await using csi = await serveCsi(driver);
    await csi.controller.createVolume({ name: "v", volume_capabilities: oneNode });
    await csi.node.nodePublishVolume({ volume_id: "v", target_path: target, volume_capability: oneNode[0] });
    for (const volume_id of ["none", "../none"]) {
      const unpublish = (target_path: string) => csi.node.nodeUnpublishVolume({ volume_id, target_path });
      await expect(unpublish(target)).rejects.toMatchObject({ code: "NOT_FOUND" });
      await unpublish("/nothing/there");
    }
    expect([...csi.shown.keys()]).toEqual([target]);
  });

  it("leaves no holder behind that could not be served", async () => {
    const { driver } = local();
    await using csi = await serveCsi(driver);
    await csi.controller.createVolume({ name: "v", volume_capabilities: oneNode });
    const alone = mountable("SINGLE_NODE_SINGLE_WRITER");
    await csi.node.nodePublishVolume({ volume_id: "v", target_path: "/a", volume_capability: alone });
    await expect(
      csi.node.nodePublishVolume({ volume_id: "v", target_path: "/b", volume_capability: alone }),
    ).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    await csi.node.nodePublishVolume({ volume_id: "v", target_path: "/a", volume_capability: alone });
    expect((await driver.get("v")).status?.["Holders"]).toEqual(["/a"]);
  });

  it.each([
    ["no volume", { volume_id: "" }, "INVALID_ARGUMENT"],
    ["an unknown volume", { volume_id: "none" }, "NOT_FOUND"],
    ["no target", { target_path: "" }, "INVALID_ARGUMENT"],
    ["a relative target", { target_path: "a/b" }, "INVALID_ARGUMENT"],
    ["a target that leads up", { target_path: "/a/../etc" }, "INVALID_ARGUMENT"],
    ["no capability", { volume_capability: undefined }, "INVALID_ARGUMENT"],
    [
      "an unknown flag",
      { volume_capability: { ...oneNode[0], mount: { mount_flags: ["ro,exec=1"] } } },
      "INVALID_ARGUMENT",
    ],
  ])("is refused with %s", async (_, wrong, code) => {
    const { driver } = local();
    await using csi = await serveCsi(driver);
    await csi.controller.createVolume({ name: "v", volume_capabilities: oneNode });
    await expect(
      csi.node.nodePublishVolume({ volume_id: "v", target_path: target, volume_capability: oneNode[0], ...wrong }),
    ).rejects.toMatchObject({ code });
    expect((await driver.get("v")).status?.["Holders"]).toEqual([]);
  });
});
