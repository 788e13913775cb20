/**
 * Volumes behind the Container Storage Interface, mounted by this kernel. `node scenarios.mjs NAME FOLDER`, in a mount
 * namespace of its own.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { controllerService, createCsiPlugin, nodeService, openCsiVolumes } from "cleat/csi";
import { createGrpcChannel, createGrpcClient, implementService, serveGrpc } from "cleat/grpc";
import { isMountPoint, mountFileSystem, openManagedVolumes, sizeOption, volumeTypes } from "cleat/volumedrivers";

const [, , name, folder] = process.argv;

const openMemoryVolumes = () =>
  openManagedVolumes({
    name: "memory",
    folder: join(folder, "memory"),
    options: { size: sizeOption().default(1 << 20) },
    mount: ({ options, target }) =>
      mountFileSystem({ type: "tmpfs", source: "memory", target, options: [`size=${options.size}`] }),
  });

/** The plugin on a socket, and clients of it. */
async function serve(change = (services) => services, driver = undefined) {
  driver ??= await openMemoryVolumes();
  const plugin = await createCsiPlugin({
    driver,
    name: "memory.test",
    version: "1",
    nodeId: "here",
    sizeOption: "size",
  });
  const unix = join(folder, "csi.sock");
  const server = await serveGrpc({
    services: change(plugin.services),
    close: () => plugin.close(),
    drainTimeoutMs: 500,
    async listen(listener) {
      await rm(unix, { force: true });
      await once(listener.listen(unix), "listening");
      return { address: unix, remove: async () => {} };
    },
  });
  const channel = createGrpcChannel({ unix });
  return {
    unix,
    driver,
    controller: createGrpcClient(controllerService, channel),
    node: createGrpcClient(nodeService, channel),
    async close() {
      await channel.close();
      await server.close();
    },
  };
}

const capability = (flags = [], mode = "SINGLE_NODE_WRITER") => ({
  mount: { mount_flags: flags },
  access_mode: { mode },
});

async function mountsBelow(path) {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  return lines.map((line) => line.split(" ")).filter(([, , , , point = ""]) => point.startsWith(path));
}

const scenarios = {
  /** Flags are there from the first moment; what is asked again is done again; nothing is left. */
  async publish() {
    let csi = await serve();
    await csi.controller.createVolume({
      name: "v",
      volume_capabilities: [capability()],
      capacity_range: { required_bytes: 65_536n },
    });
    const pods = join(folder, "pods");
    await mkdir(pods);
    const [one, other] = [join(pods, "one"), join(pods, "other")];
    const publish = (target_path, flags, readonly = false) =>
      csi.node.nodePublishVolume({ volume_id: "v", target_path, volume_capability: capability(flags), readonly });
    await publish(one, ["nosuid", "noexec", "noatime"]);
    await writeFile(join(one, "file"), "content");
    await publish(other, [], true);
    assert.equal(await readFile(join(other, "file"), "utf8"), "content");
    await assert.rejects(writeFile(join(other, "file"), "other"), { code: "EROFS" });
    const options = Object.fromEntries((await mountsBelow(pods)).map((fields) => [fields[4], fields[5].split(",")]));
    for (const flag of ["rw", "nosuid", "noexec", "noatime"]) assert.ok(options[one].includes(flag), options[one]);
    assert.ok(options[other].includes("ro") && !options[other].includes("nosuid"), options[other]);

    await csi.close();
    csi = await serve(); // another process knows no more than the kernel and the driver's records
    await publish(one, ["nosuid", "noexec", "noatime"]);
    await assert.rejects(publish(one, ["nosuid"]), { code: "ALREADY_EXISTS" });
    await assert.rejects(publish(other, []), { code: "ALREADY_EXISTS" });
    assert.equal((await mountsBelow(pods)).length, 2);
    const { usage } = await csi.node.nodeGetVolumeStats({ volume_id: "v", volume_path: one });
    assert.deepEqual([usage[0].unit, usage[0].total, usage[1].unit], ["BYTES", 65_536n, "INODES"]);
    await assert.rejects(csi.node.nodeGetVolumeStats({ volume_id: "v", volume_path: pods }), { code: "NOT_FOUND" });
    await assert.rejects(csi.controller.deleteVolume({ volume_id: "v" }), { code: "FAILED_PRECONDITION" });
    await assert.rejects(publish(join(folder, "nowhere/pod"), []), { code: "INVALID_ARGUMENT" });
    assert.deepEqual(csi.driver.holders("v").toSorted(), [one, other]);

    for (const target_path of [one, other, one]) await csi.node.nodeUnpublishVolume({ volume_id: "v", target_path });
    assert.deepEqual(csi.driver.holders("v"), []);
    await assert.rejects(readFile(one), { code: "ENOENT" });
    await csi.controller.deleteVolume({ volume_id: "v" });
    assert.deepEqual(await mountsBelow(folder + "/"), []);
    await csi.close();
  },

  /** The kernel knows a target by its path without symlinks, orchestrators by theirs. */
  async linkedFolder() {
    const csi = await serve();
    await csi.controller.createVolume({ name: "v", volume_capabilities: [capability()] });
    const [pods, link] = [join(folder, "pods"), join(folder, "link")];
    await mkdir(pods);
    await symlink(pods, link);
    const target = join(link, "one");
    const publish = (target_path, flags = []) => {
      const volume_capability = capability(flags, "SINGLE_NODE_SINGLE_WRITER");
      return csi.node.nodePublishVolume({ volume_id: "v", target_path, volume_capability });
    };
    for (const path of [target, target, `${target}/`, join(link, "/one//")]) await publish(path);
    await assert.rejects(publish(target, ["nosuid"]), { code: "ALREADY_EXISTS" });
    await assert.rejects(publish(join(link, "two")), { code: "FAILED_PRECONDITION", message: /pods\/one/ });
    await writeFile(join(folder, "file"), "");
    await assert.rejects(publish(join(folder, "file/one")), { code: "FAILED_PRECONDITION" });
    assert.deepEqual(csi.driver.holders("v"), [target]);
    assert.equal((await mountsBelow(pods)).length, 1);
    await csi.node.nodeUnpublishVolume({ volume_id: "v", target_path: `${target}/` });
    assert.deepEqual([csi.driver.holders("v"), await mountsBelow(folder + "/")], [[], []]);
    await csi.controller.deleteVolume({ volume_id: "v" });
    await csi.close();
  },

  /** Volumes of one share look alike to the kernel; what is not a volume's own is not unmounted for it. */
  async sameShare() {
    await mkdir(join(folder, "share"));
    await mountFileSystem({ type: "tmpfs", source: "share", target: join(folder, "share") });
    const options = { name: "share", folder: join(folder, "volumes"), types: volumeTypes };
    const driver = await openManagedVolumes(options);
    const csi = await serve(undefined, driver);
    const pods = join(folder, "pods");
    await mkdir(pods);
    for (const name of ["one", "two"]) {
      const parameters = { type: "bind", device: join(folder, "share") };
      await csi.controller.createVolume({ name, parameters, volume_capabilities: [capability()] });
    }
    const publish = (volume_id, target) => {
      const volume_capability = capability([], "SINGLE_NODE_SINGLE_WRITER");
      return csi.node.nodePublishVolume({ volume_id, target_path: join(pods, target), volume_capability });
    };
    const unpublish = (volume_id, target) =>
      csi.node.nodeUnpublishVolume({ volume_id, target_path: join(pods, target) });
    for (const name of ["one", "two", "one"]) await publish(name, name);
    await assert.rejects(publish("one", "three"), { code: "FAILED_PRECONDITION", message: /pods\/one/ });
    assert.deepEqual(driver.holders("one"), [join(pods, "one")]);

    // Somebody's disk, where a volume could have been, or over it: it stays, and so does the holder.
    await mkdir(join(pods, "disk"));
    await mountFileSystem({ type: "tmpfs", source: "disk", target: join(pods, "disk") });
    await writeFile(join(pods, "disk/file"), "somebody's");
    await assert.rejects(unpublish("one", "disk"), { code: "FAILED_PRECONDITION", message: /something else/ });
    await mountFileSystem({ type: "none", source: join(pods, "disk"), target: join(pods, "one"), options: ["bind"] });
    await assert.rejects(unpublish("one", "one"), { code: "FAILED_PRECONDITION" });
    assert.equal((await mountsBelow(join(pods, "one"))).length, 2);
    assert.deepEqual(driver.holders("one"), [join(pods, "one")]);
    execFileSync("umount", [join(pods, "one")]);

    // Of a volume that is not mounted any more what its holder has is its own, and nothing else.
    execFileSync("umount", [join(folder, "volumes/mounts/one")]);
    await assert.rejects(unpublish("one", "disk"), { code: "NOT_FOUND" });
    for (const name of ["one", "two"]) await unpublish(name, name);
    assert.equal(await readFile(join(pods, "disk/file"), "utf8"), "somebody's");
    execFileSync("umount", [join(pods, "disk")]);
    assert.deepEqual(await mountsBelow(pods), []);
    await csi.close();
  },

  /** A CSI plugin's volumes are those of a driver, whose records survive both. */
  async asDriver() {
    let csi = await serve();
    const options = { name: "csi", folder: join(folder, "csi"), unix: csi.unix };
    let driver = await openCsiVolumes(options);
    await driver.create("v", { options: { size: "64k" } });
    await driver.create("v", { options: { size: "64k" } });
    const path = await driver.mount("v", "c1");
    assert.equal(await driver.mount("v", "c2"), path);
    await writeFile(join(path, "file"), "content");
    await driver.close();
    await csi.close();

    driver = await openCsiVolumes(options);
    await assert.rejects(driver.create("w"), { code: "UNAVAILABLE" });
    csi = await serve();
    assert.equal(await driver.mount("v", "c1"), path);
    assert.equal(await readFile(join(path, "file"), "utf8"), "content");
    assert.equal((await driver.get("v")).status.SizeBytes, 65_536);
    await assert.rejects(driver.create("x", { options: { size: "1k", speed: "fast" } }), { code: "INVALID_ARGUMENT" });
    await assert.rejects(driver.create("y", { options: { from: "v" } }), { code: "UNIMPLEMENTED" });
    for (const holder of ["c1", "c2"]) await driver.unmount("v", holder);
    await driver.remove("v");
    assert.deepEqual(await driver.list(), []);
    assert.deepEqual(await csi.driver.list(), []);
    await driver.close();
    await csi.close();
    assert.deepEqual(await mountsBelow(folder + "/"), []);
  },

  /**
   * A plugin's volumes are given another size: by its node, by its controller, or by both; now,
   * or when they are mounted.
   */
  async expanded() {
    const grow = ({ target }, sizeBytes) => {
      if (isMountPoint(target)) execFileSync("mount", ["-o", `remount,size=${sizeBytes}`, target]);
      return { size: String(sizeBytes) };
    };
    for (const [kind, scope, change] of [
      ["node", "local"],
      ["controller", "global"],
      ["both", "global", { node_expansion_required: true }],
    ]) {
      const managed = await openManagedVolumes({
        name: "memory",
        folder: join(folder, `memory-${kind}`),
        options: { size: sizeOption().default(1 << 20) },
        mount: ({ options, target }) =>
          mountFileSystem({ type: "tmpfs", source: "memory", target, options: [`size=${options.size}`] }),
        resize: async (volume, sizeBytes) => grow(volume, sizeBytes),
      });
      const asked = [];
      let isFailing = false;
      const watch = (services) =>
        services.map((service) => {
          if (service.service !== controllerService && service.service !== nodeService) return service;
          const { controllerExpandVolume, nodeExpandVolume } = service.implementation;
          const expansions =
            service.service === controllerService
              ? {
                  async controllerExpandVolume(...call) {
                    asked.push("controller");
                    return change ? { capacity_bytes: 1n, ...change } : controllerExpandVolume(...call);
                  },
                }
              : {
                  async nodeExpandVolume(...call) {
                    asked.push("node");
                    if (isFailing) throw new Error("not now");
                    return nodeExpandVolume(...call);
                  },
                };
          return implementService(service.service, { ...service.implementation, ...expansions });
        });
      const csi = await serve(watch, { ...managed, capabilities: async () => ({ scope }) });
      const options = { name: "csi", folder: join(folder, `csi-${kind}`), unix: csi.unix };
      let driver = await openCsiVolumes(options);
      await driver.create("v", { options: { size: "64k" } });
      const sizeOf = async () => (await driver.get("v")).status.SizeBytes;
      const callsOf = { node: ["node"], controller: ["controller"], both: ["controller", "node"] }[kind];

      // while it is mounted
      const path = await driver.mount("v", "c");
      await writeFile(join(path, "file"), "content");
      await driver.resize("v", 128 * 1024);
      assert.deepEqual([asked.splice(0), await sizeOf()], [callsOf, 128 * 1024], kind);
      assert.deepEqual((await driver.get("v")).status.Options, { size: String(128 * 1024) });
      await assert.rejects(driver.resize("v", 64 * 1024), {
        code: "INVALID_ARGUMENT",
        message: /is less than the 131072/,
      });
      assert.equal(await readFile(join(path, "file"), "utf8"), "content");
      await driver.unmount("v", "c");

      // while it is not: what the node has to do it does when it is, also in another process, and not at the first try
      if (kind === "node") {
        await assert.rejects(driver.resize("v", 256 * 1024), {
          code: "FAILED_PRECONDITION",
          message: /mount it first/,
        });
        assert.equal((await driver.get("v")).status.Options.size, String(128 * 1024));
        await driver.mount("v", "c");
        await driver.resize("v", 256 * 1024);
        await driver.unmount("v", "c");
      } else await driver.resize("v", 256 * 1024);
      assert.deepEqual(asked.splice(0), kind === "node" ? ["node"] : ["controller"], kind);
      await driver.close();
      driver = await openCsiVolumes(options);
      isFailing = true;
      await driver.mount("v", "c");
      await driver.unmount("v", "c");
      isFailing = false;
      await driver.mount("v", "c");
      assert.deepEqual([asked.splice(0), await sizeOf()], [kind === "both" ? ["node", "node"] : [], 256 * 1024], kind);
      await driver.unmount("v", "c");
      await driver.mount("v", "c");
      assert.deepEqual(asked.splice(0), [], "done once");
      await driver.unmount("v", "c");
      await driver.remove("v");
      await driver.close();
      await csi.close();
    }
    const csi = await serve(undefined, { ...(await openMemoryVolumes()), resize: undefined });
    const driver = await openCsiVolumes({ name: "csi", folder: join(folder, "csi"), unix: csi.unix });
    await driver.create("v");
    await assert.rejects(driver.resize("v", 2 << 20), { code: "UNIMPLEMENTED", message: /does not expand volumes/ });
    await driver.remove("v");
    await driver.close();
    await csi.close();
  },

  /** A plugin in mounts of its own says that it has mounted, and containers would write beside the volume. */
  async seenElsewhere() {
    const unpublished = [];
    const csi = await serve((services) =>
      services.map((service) => {
        if (service.service !== nodeService) return service;
        const nodePublishVolume = async () => ({});
        const nodeUnpublishVolume = async ({ target_path }) => (unpublished.push(target_path), {});
        return implementService(nodeService, { ...service.implementation, nodePublishVolume, nodeUnpublishVolume });
      }),
    );
    const driver = await openCsiVolumes({ name: "csi", folder: join(folder, "csi"), unix: csi.unix });
    await driver.create("v");
    const target = join(folder, "csi/mounts/v");
    await assert.rejects(driver.mount("v", "c"), {
      code: "FAILED_PRECONDITION",
      message:
        `volume "v" cannot be mounted: CSI plugin "memory.test" has published it, and nothing is mounted at ` +
        `"${target}": it has to run in the mount namespace of this process`,
    });
    assert.deepEqual([unpublished, driver.holders("v")], [[target], []]);
    await driver.remove("v");
    await driver.close();
    await csi.close();
  },

  /** What was made for a call that was never answered is found by the name it was asked for by, and deleted. */
  async lostAnswer() {
    let csi = await serve((services) =>
      services.map((service) => {
        if (service.service !== controllerService) return service;
        const never = async (request, call) => {
          await service.implementation.createVolume(request, call);
          return new Promise(() => {});
        };
        return implementService(controllerService, { ...service.implementation, createVolume: never });
      }),
    );
    const options = { name: "csi", folder: join(folder, "csi"), unix: csi.unix, timeoutMs: 1_000 };
    let driver = await openCsiVolumes(options);
    await assert.rejects(driver.create("v"));
    assert.deepEqual(await driver.list(), []);
    const made = await csi.driver.list();
    assert.equal(made.length, 1);
    assert.match(made[0].name, /^v-[0-9a-f-]{36}$/);
    await driver.close();
    await csi.close();
    csi = await serve();
    driver = await openCsiVolumes(options);
    for (let tries = 0; (await csi.driver.list()).length > 0; tries++) {
      assert.ok(tries < 500, "what was made for nobody is still there");
      await delay(20);
    }
    await driver.create("v");
    await driver.remove("v");
    await driver.close();
    await csi.close();
  },
};

await scenarios[name]();
