/**
 * Snapshots and clones of real volumes behind the Container Storage Interface: `node snapshots.mjs FOLDER`, in a mount
 * namespace of its own, on any file system. With a step and a method it is killed there.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { controllerService, createCsiPlugin, nodeService, openCsiVolumes } from "cleat/csi";
import { createGrpcChannel, createGrpcClient, serveGrpc } from "cleat/grpc";
import { openManagedVolumes, volumeTypes } from "cleat/volumedrivers";

const [, , scratch, step, method] = process.argv;
const unix = join(scratch, "csi.sock");
const root = join(scratch, "volumes");
const pods = join(scratch, "pods");
const capability = { mount: {}, access_mode: { mode: "SINGLE_NODE_WRITER" } };

async function serve() {
  const driver = await openManagedVolumes({ name: "csi", folder: root, types: volumeTypes, defaultType: "local" });
  const named = { name: "volumes.test", version: "1", nodeId: "here", sizeOption: "size", sourceOption: "from" };
  const plugin = await createCsiPlugin({ driver, ...named });
  const server = await serveGrpc({
    services: plugin.services,
    close: () => plugin.close(),
    async listen(listener) {
      await rm(unix, { force: true });
      await once(listener.listen(unix), "listening");
      return { address: unix, remove: async () => {} };
    },
  });
  const grpc = createGrpcChannel({ unix });
  const controller = createGrpcClient(controllerService, grpc);
  const node = createGrpcClient(nodeService, grpc);
  const create = async (name, more = {}) =>
    (await controller.createVolume({ name, volume_capabilities: [capability], ...more })).volume;
  const target = (volume_id) => ({ volume_id, target_path: join(pods, volume_id) });
  return {
    driver,
    controller,
    create,
    snapshot: async (name, source_volume_id) => (await controller.createSnapshot({ name, source_volume_id })).snapshot,
    restore: (name, snapshot_id, more = {}) =>
      create(name, { volume_content_source: { snapshot: { snapshot_id } }, ...more }),
    ids: async () => (await controller.listSnapshots({})).entries.map(({ snapshot }) => snapshot.snapshot_id),
    /** Runs `work` with the files of a volume that is published. */
    async using(id, work) {
      await node.nodePublishVolume({ ...target(id), volume_capability: capability });
      const result = await work(join(pods, id, "file"));
      await node.nodeUnpublishVolume(target(id));
      return result;
    },
    async close() {
      await grpc.close();
      await server.close();
    },
  };
}

const read = (path) => readFile(path, "utf8");

if (step === undefined) await live();
else {
  const csi = await serve();
  channel("cleat:volumes").subscribe((said) => said.step === step && process.kill(process.pid, "SIGKILL"));
  if (method === "create") await csi.snapshot("half", "v");
  else await csi.controller.deleteSnapshot({ snapshot_id: "csi-snapshot.half" });
  await delay(120_000);
}

async function live() {
  await mkdir(pods);
  let csi = await serve();
  await csi.create("v");
  await csi.using("v", (file) => writeFile(file, "before"));
  const ofFolder = await csi.snapshot("s", "v");
  assert.equal(ofFolder.size_bytes, 0n);
  assert.ok(Math.abs(Date.now() / 1000 - Number(ofFolder.creation_time.seconds)) < 60);
  await csi.using("v", (file) => writeFile(file, "after"));
  const clone = await csi.create("clone", { volume_content_source: { volume: { volume_id: "v" } } });
  assert.equal(clone.content_source.volume.volume_id, "v");
  await csi.controller.deleteVolume({ volume_id: "v" });
  await csi.restore("w", ofFolder.snapshot_id);
  assert.deepEqual([await csi.using("w", read), await csi.using("clone", read)], ["before", "after"]);
  await csi.using("w", (file) => writeFile(file, "w's"));
  await csi.restore("w2", ofFolder.snapshot_id);
  assert.equal(await csi.using("w2", read), "before");

  // A file with a file system: the snapshot has the kind of its source, and says how large it is.
  const image = { parameters: { type: "image" } };
  const sized = (required_bytes, limit_bytes = 0n) => ({ ...image, capacity_range: { required_bytes, limit_bytes } });
  const [small, large] = [16n << 20n, 24n << 20n];
  await csi.create("disk", sized(small));
  await csi.using("disk", (file) => writeFile(file, "on disk"));
  const ofImage = await csi.snapshot("i", "disk");
  assert.equal(ofImage.size_bytes, small);
  assert.equal((await csi.restore("disk2", ofImage.snapshot_id, sized(large))).capacity_bytes, large);
  assert.equal((await csi.restore("disk3", ofImage.snapshot_id, sized(1n))).capacity_bytes, small);
  await assert.rejects(csi.restore("disk5", ofImage.snapshot_id, sized(1n, 2n)), { code: "OUT_OF_RANGE" });
  await assert.rejects(csi.restore("disk5", ofImage.snapshot_id), { code: "INVALID_ARGUMENT", message: /of type/ });
  assert.equal((await csi.restore("disk4", ofImage.snapshot_id, image)).capacity_bytes, small);
  for (const id of ["disk2", "disk3", "disk4"]) assert.equal(await csi.using(id, read), "on disk");
  // Kinds that promise no size are made all the same, and not copied.
  const bound = { type: "bind", device: pods };
  const bind = await csi.create("bound", { parameters: bound, capacity_range: { required_bytes: small } });
  assert.equal(bind.capacity_bytes, 0n);
  await assert.rejects(csi.snapshot("b", "bound"), { code: "INVALID_ARGUMENT", message: /kind that is not copied/ });

  await csi.create("v");
  await csi.using("v", (file) => writeFile(file, "kept"));
  await csi.close();
  for (const at of ["create: recorded", "create: made", "create: acknowledged"]) {
    await killed(at, "create");
    csi = await serve();
    const again = await csi.snapshot("half", "v"); // as an orchestrator does that has no answer
    assert.deepEqual([again.ready_to_use, await csi.snapshot("half", "v")], [true, again], at);
    await csi.restore("whole", again.snapshot_id);
    assert.equal(await csi.using("whole", read), "kept", at);
    await csi.controller.deleteVolume({ volume_id: "whole" });
    await csi.controller.deleteSnapshot({ snapshot_id: again.snapshot_id });
    await csi.close();
  }
  for (const at of ["remove: recorded", "remove: removed", "remove: taken out", "remove: acknowledged"]) {
    csi = await serve();
    const { snapshot_id } = await csi.snapshot("half", "v");
    await csi.close();
    await killed(at, "delete");
    csi = await serve();
    await csi.controller.deleteSnapshot({ snapshot_id });
    assert.equal((await csi.ids()).includes(snapshot_id), false, at);
    assert.equal((await readdir(join(root, "volumes"))).includes(snapshot_id), false, at);
    await csi.close();
  }

  // The way back: volumes of the plugin, cloned by a volume driver that stands on it.
  csi = await serve();
  const driver = await openCsiVolumes({ name: "of-csi", folder: join(scratch, "of-csi"), unix });
  await driver.create("one");
  await writeFile(join(await driver.mount("one", "c"), "file"), "one's");
  await driver.create("two", { options: { from: "one" } });
  await driver.unmount("one", "c");
  await driver.remove("one");
  assert.equal(await read(join(await driver.mount("two", "c"), "file")), "one's");
  await driver.unmount("two", "c");
  await driver.remove("two");
  await driver.close();
  for (const snapshot_id of await csi.ids()) await csi.controller.deleteSnapshot({ snapshot_id });
  for (const { name } of await csi.driver.list()) await csi.controller.deleteVolume({ volume_id: name });
  assert.deepEqual(await readdir(join(root, "volumes")), []);
  await csi.close();
}

async function killed(at, call) {
  const { signal, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), scratch, at, call]);
  assert.equal(signal, "SIGKILL", `${at}: ${stderr}`);
}
