import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { graphDriverProtocol, pluginProtocol } from "../../protocol/index.ts";
import {
  createClient,
  createHandler,
  createMemoryTransport,
  implement,
  type Logger,
  silentLogger,
  type Transport,
} from "../../transport/index.ts";
import { createGraphDriverPlugin, type GraphDriverPluginOptions } from "./as-plugin.ts";
import type { GraphDriverMethods } from "../driver.ts";
import type { OpenOptions } from "../driver-factory.ts";
import { createCallNotes } from "./engine/call-notes.ts";
import { createGraphDriverFromPlugin } from "./from-plugin.ts";
import type { InitRecord, InitStore } from "./init-record.ts";

/** A driver that keeps layers in memory, and a list of what was done to it. */
function createFakeFactory() {
  const log: string[] = [];
  const layers = new Map<string, { parent: string | undefined; content: Buffer; options: object }>();
  const hold = { applyDiff: Promise.resolve() };
  const layer = (id: string) => {
    const found = layers.get(id);
    if (found === undefined) throw new CleatError("NOT_FOUND", `layer "${id}" does not exist`);
    return found;
  };
  const open = async (options: OpenOptions): Promise<GraphDriverMethods> => {
    log.push(`open ${options.home}`);
    const create: GraphDriverMethods["create"] = async (id, createOptions = {}) => {
      if (layers.has(id)) throw new CleatError("ALREADY_EXISTS", `layer "${id}" exists`);
      if (createOptions.parent !== undefined) layer(createOptions.parent);
      layers.set(id, { parent: createOptions.parent, content: Buffer.alloc(0), options: createOptions });
    };
    return {
      name: "fake",
      capabilities: {
        reproducesExactDiffs: true,
        mounts: false,
        enforcesSize: true,
        protectsParents: false,
        maxDepth: 7,
      },
      create,
      createReadWrite: create,
      remove: async (id) => void layers.delete(id),
      get: async (id, { mountLabel } = {}) => (layer(id), `${options.home}/${id}${mountLabel ?? ""}`),
      put: async () => {},
      exists: async (id) => layers.has(id),
      status: async () => [
        ["Home", options.home],
        ["Options", JSON.stringify([options.options, options.uidMaps, options.gidMaps, options.durability])],
      ],
      metadata: async (id) => ({ Parent: layer(id).parent ?? "" }),
      diff: async (id) => Readable.from([layer(id).content]),
      changes: async (id) => [
        { path: Buffer.from("/é"), kind: "modified" },
        { path: Buffer.from([47, 0xff, 0xfe]), kind: "added" },
        { path: Buffer.from(`/${layer(id).content.byteLength}`), kind: "deleted" },
      ],
      applyDiff: async (id, _parent, source) => {
        const content = await buffer(source);
        await hold.applyDiff;
        layer(id).content = content;
        log.push(`applied ${id}`);
        return content.byteLength;
      },
      diffSize: async (id) => layer(id).content.byteLength,
      cleanup: async () => void log.push("cleanup"),
      close: async () => void log.push("close"),
    };
  };
  return { log, layers, hold, open };
}

function createMemoryStore(): InitStore & { kept: InitRecord | undefined } {
  return {
    kept: undefined,
    async load() {
      return this.kept === undefined ? undefined : JSON.parse(JSON.stringify(this.kept));
    },
    async save(record) {
      this.kept = record;
    },
    async clear() {
      this.kept = undefined;
    },
  };
}

let home: string;
let fake: ReturnType<typeof createFakeFactory>;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "cleat-"));
  fake = createFakeFactory();
});
afterEach(() => rm(home, { recursive: true }));

async function start(options: Partial<GraphDriverPluginOptions> = {}) {
  const plugin = createGraphDriverPlugin({ open: fake.open, ...options });
  const transport: Transport = createMemoryTransport(
    createHandler([
      implement(pluginProtocol, { activate: async () => ({ Implements: ["GraphDriver"] }) }),
      plugin.service,
    ]),
  );
  return { plugin, transport, client: createClient(graphDriverProtocol, transport) };
}

const initOf = (Home: string) => ({ Home, Opts: [], UIDMaps: [], GIDMaps: [] });

describe("a driver behind the protocol", () => {
  it("tells the operator what it did otherwise than it was asked", async () => {
    const lines: unknown[] = [];
    const logger: Logger = { ...silentLogger, warn: (...line) => lines.push(line) };
    const open = async (options: OpenOptions): Promise<GraphDriverMethods> => {
      options.logger?.warn({ layer: "base" }, "left out");
      return fake.open(options);
    };
    const { client } = await start({ open, logger });
    await client.init(initOf(home));
    expect(lines).toEqual([[{ layer: "base" }, "left out"]]);
  });

  it("lets go of its home when the calls that were answered are struck out", async () => {
    const callsFolder = join(home, "calls");
    const found: (readonly string[])[] = [];
    const notes = () => createCallNotes(callsFolder, silentLogger).readAll();
    let closing: Promise<void> | undefined;
    const open = async (options: OpenOptions): Promise<GraphDriverMethods> => ({
      ...(await fake.open(options)),
      get: async () => {
        found.push(notes().map(({ id }) => id));
        closing = plugin.close();
        return "/mounted";
      },
      close: async () => void found.push(notes().map(({ id }) => id)),
    });
    const { client, plugin } = await start({ open, callsFolder });
    await client.init(initOf(home));
    await client.get({ ID: "a" });
    await closing;
    expect(found).toEqual([["a"], []]);
  });

  it("is a driver: every call arrives and comes back in the contract's shape", async () => {
    const { transport } = await start({ durability: "file", options: ["x.a=1"] });
    const driver = await createGraphDriverFromPlugin(transport, {
      name: "p",
      home,
      options: ["x.b=2"],
      uidMaps: [{ containerId: 0, hostId: 1000, size: 5 }],
    });
    expect(driver).toMatchObject({
      name: "p",
      capabilities: {
        reproducesExactDiffs: true,
        mounts: false,
        enforcesSize: true,
        protectsParents: false,
        maxDepth: 7,
      },
    });
    expect(await driver.status()).toEqual([
      ["Home", home],
      ["Options", JSON.stringify([["x.a=1", "x.b=2"], [{ containerId: 0, hostId: 1000, size: 5 }], [], "file"])],
    ]);
    await driver.create("base", {});
    expect(await driver.applyDiff("base", undefined, Readable.from([Buffer.from("abc")]))).toBe(3);
    await driver.createReadWrite("c1", { parent: "base", mountLabel: "l", storageOptions: { size: "1G" } });
    expect(fake.layers.get("c1")?.options).toEqual({
      parent: "base",
      mountLabel: "l",
      storageOptions: { size: "1G" },
    });
    expect(await driver.get("c1", {})).toBe(`${home}/c1`);
    expect(await driver.get("c1", { mountLabel: ":z" })).toBe(`${home}/c1:z`);
    await driver.put("c1");
    expect(await driver.exists("c1")).toBe(true);
    expect(await driver.metadata("c1")).toEqual({ Parent: "base" });
    expect((await buffer(await driver.diff("base"))).toString()).toBe("abc");
    expect(await driver.diffSize("base")).toBe(3);
    await driver.remove("c1");
    expect(await driver.exists("c1")).toBe(false);
    await driver.cleanup();
    await driver.close();
    expect(fake.log).toEqual([`open ${home}`, "applied base", "cleanup", "close"]);
  });

  it("keeps names that are not UTF-8, and shows them as Go would", async () => {
    const { client, transport } = await start();
    const driver = await createGraphDriverFromPlugin(transport, { name: "p", home });
    await driver.create("a", {});
    expect(await driver.changes("a")).toEqual([
      { path: Buffer.from("/é"), kind: "modified" },
      { path: Buffer.from([47, 0xff, 0xfe]), kind: "added" },
      { path: Buffer.from("/0"), kind: "deleted" },
    ]);
    expect((await client.changes({ ID: "a" })).Changes.map(({ Path, Kind }) => [Path, Kind])).toEqual([
      ["/é", 0],
      ["/\u{fffd}\u{fffd}", 1],
      ["/0", 2],
    ]);
  });

  it("fails with the driver's code and message", async () => {
    const { transport } = await start();
    const driver = await createGraphDriverFromPlugin(transport, { name: "p", home });
    await expect(driver.get("nobody", {})).rejects.toMatchObject({
      name: "RemoteError",
      code: "NOT_FOUND",
      remoteMessage: 'layer "nobody" does not exist',
    });
    await driver.create("a", {});
    await expect(driver.create("a", {})).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    await expect(driver.create("b", { parent: "nobody" })).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it.each(["../x", "a/b", "..", "", "a\0b", "x".repeat(300), ".cleat"])("never sees the id %j", async (id) => {
    const { client } = await start();
    await client.init(initOf(home));
    const refused = {
      code: "INVALID_ARGUMENT",
      httpStatus: 500,
      remoteMessage: expect.stringMatching(/^layer id ".* is not/),
    };
    await expect(client.create({ ID: id })).rejects.toMatchObject(refused);
    await expect(client.get({ ID: id })).rejects.toMatchObject(refused);
    await expect(client.applyDiff({ id }, { body: Readable.from([]) })).rejects.toMatchObject(refused);
    await expect(client.diff({ ID: id })).rejects.toMatchObject(refused);
    if (id !== "") await expect(client.create({ ID: "a", Parent: id })).rejects.toMatchObject(refused);
    expect(fake.layers.size).toBe(0);
  });

  it("takes an empty parent for none, as Docker's ApplyDiff sends it", async () => {
    const { client } = await start();
    await client.init(initOf(home));
    await client.create({ ID: "a", Parent: "", MountLabel: "" });
    expect(fake.layers.get("a")?.options).toEqual({
      parent: undefined,
      mountLabel: undefined,
      storageOptions: undefined,
    });
    expect(await client.applyDiff({ id: "a", parent: "" }, { body: Readable.from([Buffer.from("x")]) })).toEqual({
      Size: 1,
    });
  });
});

it.each([128, Number.POSITIVE_INFINITY])("tells how many layers can be stacked: %d", async (maxDepth) => {
  const { transport } = await start({
    open: async (options) => {
      const driver = await fake.open(options);
      return { ...driver, capabilities: { ...driver.capabilities, maxDepth } };
    },
  });
  const driver = await createGraphDriverFromPlugin(transport, { name: "p", home });
  expect(driver.capabilities.maxDepth).toBe(maxDepth);
});

describe("Init", () => {
  const uninitialised = {
    code: "FAILED_PRECONDITION",
    httpStatus: 500,
    remoteMessage: "graph driver is not initialised; the engine sends Init first",
  };

  it("comes before everything else", async () => {
    const { client } = await start({ defaultHome: home });
    await expect(client.status({})).rejects.toMatchObject(uninitialised);
    await expect(client.get({ ID: "a" })).rejects.toMatchObject(uninitialised);
    await client.cleanup({});
  });

  it("opens the engine's Home, the operator's instead, or the default where the engine names none", async () => {
    await (await start({ defaultHome: "/default" })).client.init(initOf(home));
    await (await start({ home })).client.init(initOf("/engine"));
    await (await start({ defaultHome: home })).client.init(initOf(""));
    expect(fake.log).toEqual([`open ${home}`, `open ${home}`, `open ${home}`]);
    const { client } = await start();
    await expect(client.init(initOf(""))).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(client.init(initOf("relative"))).rejects.toMatchObject({
      remoteMessage: 'home "relative" is not an absolute path',
    });
  });

  it("gives the driver what follows from the engine's Host first, in the next process, too", async () => {
    const state = createMemoryStore();
    const optionsForHost = (host: string | undefined) => [`host=${host}`];
    const { plugin } = await start({ state, optionsForHost, options: ["x.a=1"] });
    const body = Readable.from([Buffer.from(JSON.stringify({ ...initOf(home), Opts: ["x.b=2"] }))]);
    const init = { path: graphDriverProtocol.methods.init.path, query: {}, body, signal: AbortSignal.timeout(9_000) };
    expect(await createHandler([plugin.service])({ ...init, host: "" })).toMatchObject({ status: 200 });
    const next = await start({ state, optionsForHost });
    const driver = Object.fromEntries((await next.client.status({})).Status as [string, string][]);
    expect(driver["Options"]).toContain('["host=","x.b=2"]');
  });

  it("says which Home is a file", async () => {
    await writeFile(join(home, "file"), "");
    const { client } = await start();
    const refused = { code: "FAILED_PRECONDITION", remoteMessage: `home "${join(home, "file")}" is not a folder` };
    await expect(client.init(initOf(join(home, "file")))).rejects.toMatchObject(refused);
    await expect(client.status({})).rejects.toMatchObject({
      remoteMessage: `graph driver is not open: ${refused.remoteMessage}`,
    });
    await client.init(initOf(home));
    await client.status({});
  });

  it("again closes and opens anew, after running calls, before later ones", async () => {
    const { client } = await start();
    await client.init(initOf(home));
    await client.create({ ID: "a" });
    let letGo!: () => void;
    fake.hold.applyDiff = new Promise((resolve) => (letGo = resolve));
    const applying = client.applyDiff({ id: "a" }, { body: Readable.from([Buffer.from("x")]) });
    const diff = await client.diff({ ID: "a" });
    const again = [client.init(initOf(home)), client.init(initOf(home))];
    const status = client.status({}).then(() => fake.log.push("status"));
    diff.destroy();
    letGo();
    await Promise.all([applying, ...again, status]);
    expect(fake.log).toEqual([`open ${home}`, "applied a", "close", `open ${home}`, "close", `open ${home}`, "status"]);
  });
});

describe("the saved Init", () => {
  it("opens the driver again in the next process, without another Init", async () => {
    const state = createMemoryStore();
    const first = await start({ state });
    const init = { Home: home, Opts: ["a=b"], UIDMaps: [{ container_id: 0, host_id: 7, size: 1 }], GIDMaps: [] };
    await first.client.init(init);
    expect(state.kept).toEqual({ version: 1, init, home });
    const second = await start({ state });
    expect(await second.client.status({})).toEqual(await first.client.status({}));
  });

  it("outlives the end of the process; after Cleanup it tells only where the layers are", async () => {
    const state = createMemoryStore();
    const { client, plugin } = await start({ state });
    await client.init(initOf(home));
    await plugin.close();
    expect(state.kept).toBeDefined();
    expect(fake.log.at(-1)).toBe("close");
    await expect(client.status({})).rejects.toMatchObject({ code: "UNAVAILABLE" });

    const second = await start({ state });
    await second.client.cleanup({});
    expect(state.kept).toEqual({ version: 1, init: initOf(home), home, released: true });
    expect(fake.log.slice(-2)).toEqual(["cleanup", "close"]);

    const third = await start({ state });
    await expect(third.client.status({})).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    await third.client.cleanup({});
    expect(state.kept).toMatchObject({ home, released: true });
    await third.client.init(initOf(home));
    expect(state.kept).not.toHaveProperty("released");
  });

  it("tells where the layers are now, when the operator names another home", async () => {
    const state = createMemoryStore();
    await (await start({ state })).client.init(initOf(home));
    const moved = join(home, "moved");
    await mkdir(moved);
    const { client } = await start({ state, home: moved });
    await client.status({});
    expect(state.kept).toEqual({ version: 1, init: initOf(home), home: moved });
  });

  it("makes no new home where that of the layers is gone; an Init does", async () => {
    const state = createMemoryStore();
    const gone = join(home, "gone");
    await mkdir(gone);
    await (await start({ state })).client.init(initOf(gone));
    await rm(gone, { recursive: true });
    const { client } = await start({ state });
    const reason = `graph driver is not open: home "${gone}", which held the layers, is gone`;
    await expect(client.status({})).rejects.toMatchObject({ code: "FAILED_PRECONDITION", remoteMessage: reason });
    await client.init(initOf(gone));
    await client.status({});
  });

  it("opens a driver that keeps its layers elsewhere than in its home", async () => {
    const state = createMemoryStore();
    await (await start({ state })).client.init(initOf(join(home, "none")));
    const { client } = await start({ state });
    await client.status({});
  });

  it("is gone after Cleanup where the disk is too full to change it", async () => {
    const state = createMemoryStore();
    const { client } = await start({ state });
    await client.init(initOf(home));
    state.save = async () => {
      throw new CleatError("RESOURCE_EXHAUSTED", "disk full");
    };
    await client.cleanup({});
    expect(state.kept).toBeUndefined();
  });

  it("that is damaged is gone after Cleanup", async () => {
    const state = createMemoryStore();
    Object.assign(state, { kept: "text" });
    await (await start({ state })).client.cleanup({});
    expect(state.kept).toBeUndefined();
  });

  it("that cannot be opened is told to each call, until an Init succeeds", async () => {
    const state = createMemoryStore();
    await (await start({ state })).client.init(initOf(home));
    let broken = true;
    const { client } = await start({
      state,
      open: async (options) => {
        if (broken) throw new CleatError("UNIMPLEMENTED", "overlay2 needs a kernel");
        return fake.open(options);
      },
    });
    const reason = { code: "UNIMPLEMENTED", remoteMessage: "graph driver is not open: overlay2 needs a kernel" };
    await expect(client.status({})).rejects.toMatchObject(reason);
    await expect(client.get({ ID: "a" })).rejects.toMatchObject(reason);
    broken = false;
    await client.init(initOf(home));
    await client.status({});
  });

  it.each([{ version: 2 }, { version: 1, init: {} }, "text"])(
    "that is damaged (%j) is told to each call",
    async (kept) => {
      const { client } = await start({ state: { ...createMemoryStore(), load: async () => kept } });
      await expect(client.status({})).rejects.toMatchObject({ code: "DATA_LOSS" });
    },
  );

  it("is saved before Init is acknowledged: without it there is no driver", async () => {
    const state: InitStore = {
      ...createMemoryStore(),
      save: async () => {
        throw new CleatError("RESOURCE_EXHAUSTED", "disk full");
      },
    };
    const { client } = await start({ state });
    await expect(client.init(initOf(home))).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    expect(fake.log).toEqual([`open ${home}`, "close"]);
    await expect(client.status({})).rejects.toMatchObject({ remoteMessage: expect.stringContaining("disk full") });
  });
});
