/** One engine, one store: whose calls reach which store. */
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import {
  createFakeCallers,
  createMemoryStore,
  failing,
  folder,
  held,
  homeOf,
  initOf,
  kill,
  log,
  type Plugin,
  standBetween,
  startPlugin,
  startProcess,
} from "./engines.test.support.ts";

type Client = ReturnType<Plugin["connect"]>;

const everyCall: Record<string, (client: Client) => Promise<unknown>> = {
  create: (client) => client.create({ ID: "x" }),
  createReadWrite: (client) => client.createReadWrite({ ID: "x" }),
  get: (client) => client.get({ ID: "x" }),
  put: (client) => client.put({ ID: "x" }),
  exists: (client) => client.exists({ ID: "x" }),
  metadata: (client) => client.getMetadata({ ID: "x" }),
  diff: (client) => client.diff({ ID: "x" }),
  changes: (client) => client.changes({ ID: "x" }),
  applyDiff: (client) => client.applyDiff({ id: "x" }, { body: Readable.from([]) }),
  diffSize: (client) => client.diffSize({ ID: "x" }),
  remove: (client) => client.remove({ ID: "x" }),
};

const refused = { code: "FAILED_PRECONDITION", remoteMessage: expect.stringContaining("is refused") };

/** Calls of every kind fail, and reach no store. */
async function expectShutOut(client: Client): Promise<void> {
  const before = callsIn(log);
  for (const [name, call] of Object.entries(everyCall)) await expect(call(client), name).rejects.toMatchObject(refused);
  expect(callsIn(log)).toEqual(before);
}

/** Calls of every kind reach the store in `home`. */
async function expectServed(client: Client, home: string): Promise<void> {
  const before = callsIn(log);
  for (const call of Object.values(everyCall)) {
    const answer = await call(client);
    if (answer instanceof Readable) answer.destroy();
  }
  expect(callsIn(log)).toEqual([...before, ...Object.keys(everyCall).map((name) => `${name} x in ${home}`)]);
}

const callsIn = (entries: readonly string[]) => entries.filter((entry) => entry.includes(" x in "));

async function twoEngines(options?: Parameters<typeof startPlugin>[0]) {
  const plugin = startPlugin(options);
  const [a, b] = [startProcess(), startProcess()];
  const [homeA, homeB] = [await homeOf("a"), await homeOf("b")];
  const first = plugin.connect(a);
  await first.init(initOf(homeA));
  return { plugin, a, b, homeA, homeB, first, second: plugin.connect(b) };
}

describe("an Init for another home", () => {
  it("is refused while the first engine has it, names both and the way out, and changes nothing", async () => {
    const { a, homeA, homeB, first, second } = await twoEngines();
    await expect(second.init(initOf(homeB))).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      remoteMessage:
        `home "${homeB}" is refused: this plugin serves home "${homeA}" of process ${a.pid}, ` +
        "which has not said Cleanup; a second engine wants a plugin of its own: " +
        "cleat serve graph --name other, and the engine's -s other",
    });
    expect(log).toEqual([`open ${homeA}`]);
    await expectShutOut(second);
    await expect(second.cleanup({})).rejects.toMatchObject(refused);
    await expectServed(first, homeA);
  });

  it("is refused at once, while the first engine's calls run on", async () => {
    const { homeA, homeB, first, second } = await twoEngines();
    let letGo!: () => void;
    held.until = new Promise((resolve) => (letGo = resolve));
    const applying = first.applyDiff({ id: "x" }, { body: Readable.from([]) });
    await expect(second.init(initOf(homeB))).rejects.toMatchObject(refused);
    await first.create({ ID: "y" });
    letGo();
    await applying;
    expect(log).toEqual([`open ${homeA}`, `create y in ${homeA}`, `applyDiff x in ${homeA}`]);
  });

  it("is refused whoever says it: the same process, one that is not known, one in this process", async () => {
    const { plugin, a, homeA, homeB, first } = await twoEngines();
    await expect(first.init(initOf(homeB))).rejects.toMatchObject(refused);
    await expect(plugin.connect(a).init(initOf(homeB))).rejects.toMatchObject(refused);
    const stranger = plugin.connect();
    await expect(stranger.init(initOf(homeB))).rejects.toMatchObject(refused);
    await expectShutOut(stranger);
    await expectShutOut(plugin.connect());
    await expectServed(first, homeA);
  });

  it("is refused where the operator's home is the same for both", async () => {
    const mine = await homeOf("mine");
    const { homeB, first, second } = await twoEngines({ home: mine });
    await expect(second.init(initOf(homeB))).rejects.toMatchObject(refused);
    await expectShutOut(second);
    await expectServed(first, mine);
  });

  it("is taken after Cleanup; what comes late from the first engine reaches nothing, however it comes", async () => {
    const { plugin, a, homeA, homeB, first, second } = await twoEngines();
    const idle = plugin.connect(a);
    let letGo!: () => void;
    held.until = new Promise((resolve) => (letGo = resolve));
    const applying = first.applyDiff({ id: "x" }, { body: Readable.from([]) });
    const cleanup = first.cleanup({});
    const init = second.init(initOf(homeB));
    const late = first.create({ ID: "x" }); // comes while the two are waited for
    letGo();
    await Promise.all([applying, cleanup, init, expect(late).rejects.toMatchObject(refused)]);
    expect(callsIn(log)).toEqual([`applyDiff x in ${homeA}`]);
    await expectShutOut(first);
    await expectShutOut(idle);
    await expectShutOut(plugin.connect(a));
    await expect(first.cleanup({})).rejects.toMatchObject(refused);
    await expectServed(second, homeB);
  });

  it("says so where the first engine has ended without Cleanup; anybody may say that instead", async () => {
    const { plugin, a, b, homeA, homeB, first, second } = await twoEngines();
    const operator = plugin.connect(startProcess());
    await expect(operator.cleanup({})).rejects.toMatchObject(refused);
    kill(a);
    await expect(second.init(initOf(homeB))).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      remoteMessage: expect.stringMatching(
        new RegExp(`of process ${a.pid}, which has ended without Cleanup; .*cleat call NAME GraphDriver.Cleanup$`),
      ),
    });
    await expectShutOut(second);
    await expect(second.cleanup({})).rejects.toMatchObject(refused); // whose home it is not
    await operator.cleanup({});
    expect(log.slice(-2)).toEqual([`cleanup ${homeA}`, `close ${homeA}`]);
    await plugin.connect(b).init(initOf(homeB));
    await expectServed(second, homeB);
    await expectShutOut(first);
  });
});

describe("an Init for the same home", () => {
  it("is taken from the same engine, from the next one after its death, and then from one not known", async () => {
    const { plugin, a, b, homeA, first, second } = await twoEngines();
    await plugin.connect(a).init(initOf(homeA));
    await expectServed(first, homeA);
    kill(a);
    await second.init(initOf(homeA));
    await expectServed(plugin.connect(b), homeA);
    const unknown = plugin.connect();
    await expect(unknown.init(initOf(homeA))).rejects.toMatchObject(refused);
    await expectShutOut(plugin.connect());
    kill(b);
    await unknown.init(initOf(homeA));
    await expectServed(plugin.connect(), homeA);
  });

  it("is refused from another engine while the first one lives", async () => {
    const { homeA, first, second } = await twoEngines();
    await expect(second.init(initOf(homeA))).rejects.toMatchObject(refused);
    await expectShutOut(second);
    await expectServed(first, homeA);
  });

  it("is the same by another path", async () => {
    const { plugin, a, homeA } = await twoEngines();
    await symlink(join(folder, "a"), join(folder, "link"));
    const again = plugin.connect(a);
    await again.init(initOf(join(folder, "link/cleat")));
    await expectServed(again, join(folder, "link/cleat"));
    await again.init(initOf(homeA));
  });

  it("may fail, and be said once more; nobody else's is taken meanwhile", async () => {
    let problem: string | undefined;
    const { first, second, homeA, homeB } = await twoEngines({
      callers: {
        ...createFakeCallers(),
        assertHomeSeen: () => problem && failing(problem)(),
      },
    });
    problem = "not seen";
    await expect(first.init(initOf(homeA))).rejects.toMatchObject({ remoteMessage: "not seen" });
    expect(log.at(-1)).toBe(`close ${homeA}`);
    await expect(second.init(initOf(homeB))).rejects.toMatchObject(refused);
    problem = undefined;
    await first.init(initOf(homeA));
    await expectServed(first, homeA);
  });
});

it("what is about the plugin as a whole is answered to anybody", async () => {
  const { second, homeA } = await twoEngines();
  expect(await second.status({})).toEqual({ Status: [["Home", homeA]] });
  expect(await second.capabilities({})).toMatchObject({ Capabilities: { Mounts: true } });
  await expectShutOut(second);
});

describe("a process that never said Init", () => {
  it("is not the engine while that lives, and takes its place when it is dead", async () => {
    const { plugin, a, homeA, first } = await twoEngines();
    const [one, other] = [startProcess(), startProcess()];
    await expectShutOut(plugin.connect(one));
    kill(a);
    await expectServed(plugin.connect(one), homeA);
    await expectShutOut(plugin.connect(other));
    kill(one);
    await expectServed(plugin.connect(other), homeA);
    await expectShutOut(first);
  });
});

describe("a proxy that stands where the plugin was", () => {
  it("passes a running engine's calls on, and its next Init", async () => {
    const { plugin, a, homeA, first } = await twoEngines();
    const proxy = startProcess();
    standBetween(proxy);
    await expectServed(plugin.connect(proxy), homeA);
    await expectServed(first, homeA);
    kill(a);
    const next = plugin.connect(proxy);
    await next.init(initOf(homeA));
    await expectServed(next, homeA);
    standBetween(undefined); // it closes, and calls of its end are still under way
    const engine = startProcess();
    await expectServed(plugin.connect(engine), homeA);
    await expectServed(next, homeA);
    kill(proxy);
    await expectServed(plugin.connect(engine), homeA);
  });

  it("makes no second engine the first one", async () => {
    const { plugin, homeA, homeB, first } = await twoEngines();
    const proxy = startProcess();
    standBetween(proxy);
    const second = plugin.connect(proxy);
    await expect(second.init(initOf(homeB))).rejects.toMatchObject(refused);
    await expectShutOut(second);
    await expectServed(plugin.connect(proxy), homeA);
    await first.cleanup({});
    await plugin.connect(proxy).init(initOf(homeB));
    await expectShutOut(first);
  });
});

describe("where the kernel does not tell who calls", () => {
  it("a connection by which one home was used is of no use for the next", async () => {
    const plugin = startPlugin();
    const [homeA, homeB] = [await homeOf("a"), await homeOf("b")];
    const [one, two, other] = [plugin.connect(), plugin.connect(), plugin.connect()];
    await one.init(initOf(homeA));
    await expectServed(two, homeA);
    await expect(other.init(initOf(homeB))).rejects.toMatchObject(refused);
    await expectShutOut(other);
    await two.cleanup({});
    await other.init(initOf(homeB));
    await expectServed(other, homeB);
    await expectShutOut(one);
    await expectShutOut(two);
    await expect(two.cleanup({})).rejects.toMatchObject(refused);
    await one.cleanup({}).catch(() => {});
    await expectServed(plugin.connect(), homeB);
  });
});

describe("the plugin that is started again", () => {
  it("knows its engine, and takes nobody else's calls", async () => {
    const state = createMemoryStore();
    const { plugin, a, b, homeA, homeB } = await twoEngines({ state });
    expect(state.kept).toMatchObject({ version: 1, engine: a });
    await plugin.close();
    const next = startPlugin({ state });
    await expectShutOut(next.connect(b));
    await expect(next.connect(b).init(initOf(homeB))).rejects.toMatchObject(refused);
    await expectServed(next.connect(a), homeA);
  });

  it("takes the engine's own Init where both were killed, and knows the next one", async () => {
    const state = createMemoryStore();
    const { a, b, homeA, homeB } = await twoEngines({ state });
    kill(a);
    const next = startPlugin({ state });
    await expect(next.connect(b).init(initOf(homeB))).rejects.toMatchObject({
      remoteMessage: expect.stringContaining("which has ended without Cleanup"),
    });
    const again = startProcess();
    await next.connect(again).init(initOf(homeA));
    expect(state.kept).toMatchObject({ engine: again });
    await next.connect(again).cleanup({});
    expect(state.kept).not.toHaveProperty("engine");
    await next.connect(b).init(initOf(homeB));
  });

  it("takes a process of an earlier boot for dead", async () => {
    const state = createMemoryStore();
    const { a, homeA } = await twoEngines({ state });
    Object.assign(state.kept as object, { engine: { ...a, started: 0, boot: "an earlier one" } });
    const engine = startProcess();
    await expectServed(startPlugin({ state }).connect(engine), homeA);
    expect(state.kept).toMatchObject({ engine });
  });

  it("finds out who the engine is where the record does not tell", async () => {
    const state = createMemoryStore();
    const { a, b, homeA } = await twoEngines({ state });
    Object.assign(state.kept as object, { engine: undefined });
    const next = startPlugin({ state });
    await expectServed(next.connect(a), homeA);
    expect(state.kept).toMatchObject({ engine: a });
    await expectShutOut(next.connect(b));
  });

  it("tells every call of an engine that would not see the mounts", async () => {
    const state = createMemoryStore();
    const { a } = await twoEngines({ state });
    const next = startPlugin({ state, callers: { ...createFakeCallers(), assertHomeSeen: failing("not seen") } });
    const client = next.connect(a);
    await expect(client.get({ ID: "x" })).rejects.toMatchObject({ remoteMessage: "not seen" });
    await expect(client.get({ ID: "x" })).rejects.toMatchObject({ remoteMessage: "not seen" });
    await client.cleanup({});
  });
});
