/** A volume plugin written in Go, as others write them, called by Cleat's host. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { RemoteError } from "../../../src/errors/index.ts";
import { type ClientPolicy, createDiscovery, createRegistry, type Registry } from "../../../src/host/index.ts";
import { volumeDriverProtocol } from "../../../src/protocol/index.ts";
import {
  createRemoteVolumeDriver,
  createVolumeDriverFromPlugin,
  type VolumeDriver,
} from "../../../src/volume/index.ts";
import { describeWith, needs } from "../../needs.ts";
import { buildGoProgram } from "../go-program.ts";
import { type GoVolumePlugin, startGoVolumePlugin } from "./volume-plugin.ts";

describeWith([needs.go], "a volume plugin in Go", () => {
  let folder: string;
  let program: string;
  let plugins: string;
  let socket: string;
  let plugin: GoVolumePlugin;
  let registry: Registry;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cleat-go-"));
    program = await buildGoProgram(join(import.meta.dirname, "server"), folder);
  });
  afterAll(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    plugins = await mkdtemp(join(folder, "plugins-"));
    socket = join(plugins, "go.sock");
    plugin = await startGoVolumePlugin(program, socket);
  });
  afterEach(async () => {
    await registry.close();
    await plugin[Symbol.asyncDispose]();
  });

  /** As an engine gets it: found by name, activated, with a policy. */
  function getPlugin(policy: ClientPolicy = {}) {
    registry = createRegistry({ discovery: createDiscovery({ sockets: [plugins], specs: [] }), policy });
    return registry.get("go", volumeDriverProtocol);
  }

  async function openDriver(policy?: ClientPolicy): Promise<VolumeDriver> {
    const { name, client } = await getPlugin(policy);
    return createRemoteVolumeDriver(client, { name });
  }

  async function startAgain(): Promise<void> {
    await rm(socket, { force: true });
    plugin = await startGoVolumePlugin(program, socket);
  }

  test("is called by every method", async () => {
    const { transport } = await getPlugin();
    const driver = await createVolumeDriverFromPlugin(transport, { name: "go" });
    expect(await driver.capabilities()).toEqual({ scope: "global" });
    expect(await driver.list()).toEqual([]); // null on the wire
    await driver.create("data", { options: { size: "1g" } });
    await driver.create("more", {});
    expect(await driver.path("data")).toBeUndefined();
    expect(await driver.mount("data", "c1")).toBe("/mnt/data");
    expect(await driver.mount("data", "c1")).toBe("/mnt/data");
    expect(await driver.mount("data", "c2")).toBe("/mnt/data");
    expect(await driver.path("data")).toBe("/mnt/data");
    expect(await driver.get("data")).toEqual({
      name: "data",
      mountpoint: "/mnt/data",
      createdAt: undefined, // Go's zero time on the wire
      status: { options: { size: "1g" }, holders: 2 },
    });
    expect((await driver.list()).map(({ name, mountpoint }) => ({ name, mountpoint }))).toEqual([
      { name: "data", mountpoint: "/mnt/data" },
      { name: "more", mountpoint: "/mnt/more" },
    ]);
    await driver.unmount("data", "c1");
    await driver.unmount("data", "c2");
    await driver.remove("data");
    expect((await driver.list()).map(({ name }) => name)).toEqual(["more"]);
  });

  test("fails with what it said", async () => {
    const driver = await openDriver();
    await driver.create("data", {});
    await driver.mount("data", "c1");
    const failure = await driver.remove("data").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RemoteError);
    expect(failure).toMatchObject({ code: "UNKNOWN", httpStatus: 500, remoteMessage: "volume in use" });
    await expect(driver.get("nothing")).rejects.toThrow(/"go".*\/VolumeDriver\.Get.*no such volume: nothing/);
  });

  test("may be started again between two calls of the driver that a caller holds", async () => {
    const driver = await openDriver();
    await driver.create("data", {});
    await plugin.kill();
    await startAgain();
    expect(await driver.list()).toEqual([]); // another process, with a state of its own
    await driver.create("data", {});
    expect(await driver.mount("data", "c1")).toBe("/mnt/data");
  });

  test("is unavailable once it was killed, its socket there or not, and is back with its next start", async () => {
    const driver = await openDriver({ retryLimitMs: 0 });
    await plugin.kill();
    await expect(driver.list()).rejects.toMatchObject({ code: "UNAVAILABLE", reachedPeer: false });
    await expect(registry.get("go", volumeDriverProtocol)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await rm(socket);
    await expect(driver.list()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(registry.get("go", volumeDriverProtocol)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await startAgain();
    await driver.create("data", {});
    expect((await driver.list()).map(({ name }) => name)).toEqual(["data"]);
  });

  test("costs a deadline while it is stopped, and answers again when it goes on", async () => {
    const driver = await openDriver({ timeoutMs: 300 });
    await plugin.stop();
    await expect(driver.list()).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    plugin.continue();
    expect(await driver.list()).toEqual([]);
  });
});
