import { once } from "node:events";
import { rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { graphDriverProtocol, volumeDriverProtocol } from "../protocol/index.ts";
import {
  activates,
  leaveDeadSocket,
  openRegistry,
  socketOf,
  specOf,
  startFake,
  startPlugin,
} from "./peers.test.support.ts";

const path = { Name: "v" };

describe("get", () => {
  it("gives a typed client of an activated plugin", async () => {
    await startPlugin("a");
    const plugin = await openRegistry().get("a", volumeDriverProtocol);
    expect(plugin).toMatchObject({
      name: "a",
      address: `unix://${socketOf("a")}`,
      implements: ["VolumeDriver"],
    });
    expect(await plugin.client.path(path)).toEqual({ Mountpoint: "/a" });
  });

  it("asks a plugin for what the protocol is announced as, where that is not its name", async () => {
    const announced = { ...volumeDriverProtocol, implements: "volumes" };
    await startPlugin("a", {}, { implemented: ["volumes"] });
    const registry = openRegistry();
    const { client } = await registry.get("a", announced);
    expect(await client.path(path)).toEqual({ Mountpoint: "/a" });
    expect((await registry.getAll(announced)).plugins).toHaveLength(1);
    await expect(registry.get("a", volumeDriverProtocol)).rejects.toMatchObject({
      message: 'plugin "a" does not implement VolumeDriver: it implements volumes',
    });
  });

  it("activates once, however many callers wait and however often they come", async () => {
    const { calls } = await startPlugin("a");
    const registry = openRegistry();
    await Promise.all(Array.from({ length: 20 }, () => registry.get("a", volumeDriverProtocol)));
    await registry.get("a", volumeDriverProtocol);
    expect(calls).toEqual(["/Plugin.Activate"]);
  });

  it("says of a plugin that was never seen which paths were tried", async () => {
    await expect(openRegistry().get("nobody", volumeDriverProtocol)).rejects.toMatchObject({
      name: "PluginNotFoundError",
      code: "NOT_FOUND",
      message: expect.stringContaining(`${socketOf("nobody")}, `),
      pathsTried: expect.arrayContaining([specOf("nobody")]),
    });
  });

  it.each(["../../tmp/x", "a/b", "", "a\0", ".hidden"])("refuses the name %j", async (name) => {
    await expect(openRegistry().get(name, volumeDriverProtocol)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("tells a dead plugin from one that was never seen, and from one that went away", async () => {
    const registry = openRegistry();
    await leaveDeadSocket("dead");
    await expect(registry.get("dead", volumeDriverProtocol)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/on plugin "dead": nobody answers at unix:.*ECONNREFUSED/),
    });
    const { stop } = await startPlugin("a");
    await registry.get("a", volumeDriverProtocol);
    await stop();
    await expect(registry.get("a", volumeDriverProtocol)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/plugin "a" was here and is gone: looked for \//),
    });
  });

  it("says what a plugin implements when it is something else", async () => {
    await startPlugin("a");
    await expect(openRegistry().get("a", graphDriverProtocol)).rejects.toMatchObject({
      code: "UNIMPLEMENTED",
      message: 'plugin "a" does not implement GraphDriver: it implements VolumeDriver',
    });
  });

  it("forgets a failed activation", async () => {
    const registry = openRegistry();
    await leaveDeadSocket("a");
    await expect(registry.get("a", volumeDriverProtocol)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await rm(socketOf("a"));
    await startPlugin("a");
    expect((await registry.get("a", volumeDriverProtocol)).name).toBe("a");
  });

  it("lets one caller give up alone", async () => {
    let answer: (() => void) | undefined;
    const asked = new Promise<void>((resolve) => {
      void startFake("slow", (socket) => {
        answer = () => activates(socket);
        resolve();
      });
    });
    const registry = openRegistry();
    await expect.poll(() => registry.discovery.scan()).toHaveLength(1);
    const impatient = new AbortController();
    const one = registry.get("slow", volumeDriverProtocol, { signal: impatient.signal });
    const other = registry.get("slow", volumeDriverProtocol);
    await asked;
    impatient.abort();
    await expect(one).rejects.toMatchObject({ code: "CANCELLED" });
    answer?.();
    expect((await other).name).toBe("slow");
  });
});

describe("get with patience", () => {
  it("gets a plugin as soon as it is there", async () => {
    const registry = openRegistry();
    const waiting = registry.get("late", volumeDriverProtocol, { waitMs: 60_000 });
    await startPlugin("late");
    expect((await waiting).name).toBe("late");
  });

  it("gets over a dead socket and a spec file half written", async () => {
    const registry = openRegistry();
    await leaveDeadSocket("dead");
    await writeFile(specOf("half"), "");
    const dead = registry.get("dead", volumeDriverProtocol, { waitMs: 60_000 });
    const half = registry.get("half", volumeDriverProtocol, { waitMs: 60_000 });
    await rm(socketOf("dead"));
    await startPlugin("dead");
    const elsewhere = socketOf("elsewhere");
    await startPlugin("half", {}, { at: elsewhere });
    await writeFile(`${specOf("half")}.tmp`, `unix://${elsewhere}\n`);
    await rename(`${specOf("half")}.tmp`, specOf("half"));
    expect((await dead).name).toBe("dead");
    expect((await half).address).toBe(`unix://${elsewhere}`);
  });

  it("ends with what the last try failed with", async () => {
    const registry = openRegistry();
    await expect(registry.get("nobody", volumeDriverProtocol, { waitMs: 30 })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    await startFake("silent", () => {});
    await expect(registry.get("silent", volumeDriverProtocol, { waitMs: 30 })).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
      message: 'plugin "silent" did not answer within 30 ms',
    });
  });

  it("does not wait for what will not come", async () => {
    await startPlugin("a");
    await expect(openRegistry().get("a", graphDriverProtocol, { waitMs: 60_000 })).rejects.toMatchObject({
      code: "UNIMPLEMENTED",
    });
  });
});

it("waits for nobody who has been replaced", async () => {
  const hung = await startFake("a", () => {});
  const registry = openRegistry({ timeoutMs: 60_000, retryLimitMs: 0 });
  const first = registry.get("a", volumeDriverProtocol);
  first.catch(() => {});
  await expect.poll(() => hung.calls).toHaveLength(1);
  await startPlugin("healthy");
  await rename(socketOf("healthy"), socketOf("a"));
  const { client } = await registry.get("a", volumeDriverProtocol);
  expect(await client.path({ Name: "x" })).toEqual({ Mountpoint: "/healthy" });
  await expect(first).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: 'plugin "a" was replaced while it was activated',
  });
});

describe("getAll", () => {
  it("returns the others within the deadline when one of twenty hangs", async () => {
    for (let index = 10; index < 29; index++) await startPlugin(`p${index}`);
    await startFake("hung", () => {});
    const { plugins, failures } = await openRegistry().getAll(volumeDriverProtocol, { timeoutMs: 500 });
    expect(plugins.map(({ name }) => name)).toEqual(Array.from({ length: 19 }, (_, index) => `p${index + 10}`));
    expect(failures).toEqual([
      {
        name: "hung",
        error: expect.objectContaining({
          code: "DEADLINE_EXCEEDED",
          message: 'plugin "hung" gave no answer within 500 ms',
        }),
      },
    ]);
  });

  it("tells of each failure, and not of those that implement something else", async () => {
    await startPlugin("good");
    await startPlugin("other", {}, { implemented: ["NetworkDriver"] });
    await leaveDeadSocket("dead");
    await writeFile(specOf("half"), "uni");
    const { plugins, failures } = await openRegistry().getAll(volumeDriverProtocol);
    expect(plugins.map(({ name }) => name)).toEqual(["good"]);
    expect(failures.map(({ name, error }) => [name, "code" in error && error.code])).toEqual([
      ["dead", "UNAVAILABLE"],
      ["half", "INVALID_ARGUMENT"],
    ]);
  });

  it("can be given up", async () => {
    await startFake("hung", () => {});
    await expect(
      openRegistry().getAll(volumeDriverProtocol, { signal: AbortSignal.timeout(20) }),
    ).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("leaves a plugin alone that keeps hanging", async () => {
    const { calls } = await startFake("hung", () => {});
    const registry = openRegistry({ timeoutMs: 200, breaker: { minSilenceMs: 0 } });
    for (let count = 0; count < 3; count++) await registry.getAll(volumeDriverProtocol);
    const { failures } = await registry.getAll(volumeDriverProtocol);
    expect(failures[0]?.error.message).toContain('plugin "hung": circuit open');
    expect(calls).toHaveLength(3);
  });
});

describe("handle", () => {
  it("calls back for plugins activated before and after, each once", async () => {
    await startPlugin("before");
    await startPlugin("after");
    await startPlugin("other", {}, { implemented: ["NetworkDriver"] });
    const registry = openRegistry();
    await registry.get("before", volumeDriverProtocol);
    const seen: string[] = [];
    const stop = registry.handle(volumeDriverProtocol, ({ name }) => seen.push(name));
    expect(seen).toEqual([]);
    await registry.getAll(volumeDriverProtocol);
    await registry.getAll(volumeDriverProtocol);
    expect(seen).toEqual(["before", "after"]);
    stop();
    await startPlugin("more");
    await registry.get("more", volumeDriverProtocol);
    expect(seen).toHaveLength(2);
  });

  it("does not let a callback that throws hurt anybody", async () => {
    await startPlugin("a");
    const error = vi.fn<(fields: object, message: string) => void>();
    const registry = openRegistry({}, { debug() {}, info() {}, warn() {}, error });
    registry.handle(volumeDriverProtocol, () => {
      throw new Error("mine");
    });
    const { client } = await registry.get("a", volumeDriverProtocol);
    expect(await client.path(path)).toEqual({ Mountpoint: "/a" });
    expect(error).toHaveBeenCalledWith(expect.objectContaining({ plugin: "a" }), "a handler of plugins failed");
  });
});

describe("a plugin that is held", () => {
  it("is activated again before a call that another program would get", async () => {
    const first = await startPlugin("a");
    const registry = openRegistry();
    const { client } = await registry.get("a", volumeDriverProtocol);
    const activated = vi.fn<() => void>();
    registry.handle(volumeDriverProtocol, activated);
    await first.stop();
    const second = await startPlugin("a", { path: async () => ({ Mountpoint: "/second" }) });
    expect(await client.path(path)).toEqual({ Mountpoint: "/second" });
    expect(second.calls).toEqual(["/Plugin.Activate", "/VolumeDriver.Path"]);
    expect(activated).toHaveBeenCalledTimes(2);
  });

  it("is called no more when the program in its place is another kind of plugin", async () => {
    const first = await startPlugin("a");
    const { client } = await openRegistry().get("a", volumeDriverProtocol);
    await first.stop();
    const other = await startPlugin("a", {}, { implemented: ["NetworkDriver"] });
    await expect(client.path(path)).rejects.toMatchObject({ code: "UNIMPLEMENTED" });
    expect(other.calls).toEqual(["/Plugin.Activate"]);
  });

  it("is followed to the address that its spec file names now", async () => {
    const first = await startPlugin("a", {}, { at: socketOf("x1") });
    await writeFile(specOf("a"), `unix://${socketOf("x1")}`);
    const plugin = await openRegistry().get("a", volumeDriverProtocol);
    await first.stop();
    await startPlugin("a", {}, { at: socketOf("x2") });
    await writeFile(specOf("a"), `unix://${socketOf("x2")}`);
    expect(await plugin.client.path(path)).toEqual({ Mountpoint: "/a" });
    expect(plugin.address).toBe(`unix://${socketOf("x2")}`);
  });

  it("on TCP is activated again after its connection was lost", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as { port: number };
    await new Promise((resolve) => holder.close(resolve));
    const at = { port };
    const first = await startPlugin("a", {}, { at });
    await writeFile(specOf("a"), `tcp://127.0.0.1:${port}`);
    const { client } = await openRegistry({ retryLimitMs: 0 }).get("a", volumeDriverProtocol);
    expect(await client.path(path)).toEqual({ Mountpoint: "/a" });
    await first.stop();
    await expect(client.path(path)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const second = await startPlugin("a", {}, { at });
    expect(await client.path(path)).toEqual({ Mountpoint: "/a" });
    expect(second.calls).toEqual(["/Plugin.Activate", "/VolumeDriver.Path"]);
  });

  it("lets calls to the old program end", async () => {
    let release: (() => void) | undefined;
    const asked = new Promise<void>((asking) => {
      const held = new Promise<void>((resolve) => (release = resolve));
      void startPlugin("a", {
        list: async () => {
          asking();
          await held;
          return { Volumes: [] };
        },
      });
    });
    const registry = openRegistry();
    await expect.poll(() => registry.discovery.scan()).toHaveLength(1);
    const { client } = await registry.get("a", volumeDriverProtocol);
    const slow = client.list({});
    await asked;
    await rename(socketOf("a"), socketOf("moved"));
    await startPlugin("a", { path: async () => ({ Mountpoint: "/second" }) });
    expect(await client.path(path)).toEqual({ Mountpoint: "/second" });
    release?.();
    expect(await slow).toEqual({ Volumes: [] });
  });

  it("is tried again while nobody is there, and gets its call once", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "performance"] });
    try {
      const first = await startPlugin("a");
      const warn = vi.fn<(fields: object, message: string) => void>();
      const { client } = await openRegistry({}, { debug() {}, info() {}, warn, error() {} }).get(
        "a",
        volumeDriverProtocol,
      );
      await first.stop();
      const call = client.path(path);
      await vi.waitUntil(() => warn.mock.calls.length === 1);
      const second = await startPlugin("a");
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await call).toEqual({ Mountpoint: "/a" });
      expect(second.calls).toEqual(["/Plugin.Activate", "/VolumeDriver.Path"]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("close", () => {
  it("fails what is under way, and later calls", async () => {
    await startFake("silent", activates, () => {});
    const registry = openRegistry();
    const { client } = await registry.get("silent", volumeDriverProtocol);
    const call = client.path(path);
    await registry.close();
    await expect(call).rejects.toMatchObject({ code: expect.stringMatching(/UNAVAILABLE|CANCELLED/) });
    await expect(client.path(path)).rejects.toMatchObject({ code: expect.stringMatching(/UNAVAILABLE|CANCELLED/) });
    await expect(registry.get("silent", volumeDriverProtocol)).rejects.toMatchObject({ code: "CANCELLED" });
    await registry.close();
  });
});
