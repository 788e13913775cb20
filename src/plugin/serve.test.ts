import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, link, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { defineProtocol, goStruct, pluginProtocol } from "../protocol/index.ts";
import { createClient, createHttpTransport, implement, parseAddress } from "../transport/index.ts";
import { closeOnSignals, type RunningPlugin, serve, type ServedDriver } from "./index.ts";

const protocolNamed = <N extends string>(name: N) =>
  defineProtocol({
    name,
    methods: {
      wait: {
        path: `/${name}.Wait`,
        framing: "json",
        request: goStruct({}),
        response: goStruct({ Text: z.string() }),
        timeoutMs: 5_000,
        source: "this test",
      },
    },
  });
const testProtocol = protocolNamed("Test");

function driver(wait: () => Promise<string> = async () => "done", name = "Test", closing?: () => void): ServedDriver {
  return {
    service: implement(protocolNamed(name), { wait: async () => ({ Text: await wait() }) }),
    close: async () => closing?.(),
  };
}

let folder: string;
let path: string;
const plugins: RunningPlugin[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
  path = join(folder, "plugins", "p.sock");
});

afterEach(async () => {
  for (const plugin of plugins.splice(0)) await plugin.close();
  await rm(folder, { recursive: true });
});

async function start(options: Partial<Parameters<typeof serve>[0]> = {}): Promise<RunningPlugin> {
  const plugin = await serve({ drivers: [driver()], listen: { unix: path }, drainTimeoutMs: 50, ...options });
  plugins.push(plugin);
  return plugin;
}

const clientOf = (address: string) => createClient(testProtocol, createHttpTransport(parseAddress(address)));

/** A socket file on which nobody listens, as a killed process leaves it. */
async function leaveStaleSocket(): Promise<void> {
  await mkdir(join(folder, "plugins"), { recursive: true });
  const server = createServer().listen(`${path}.bound`);
  await once(server, "listening");
  await link(`${path}.bound`, path);
  server.close();
  await once(server, "close");
}

describe("several drivers on one socket", () => {
  it("are all activated and called", async () => {
    const plugin = await start({ drivers: [driver(), driver(async () => "other", "Other")] });
    const transport = createHttpTransport(parseAddress(plugin.address));
    expect(await createClient(pluginProtocol, transport).activate({})).toEqual({ Implements: ["Test", "Other"] });
    expect(await createClient(testProtocol, transport).wait({})).toEqual({ Text: "done" });
    expect(await createClient(protocolNamed("Other"), transport).wait({})).toEqual({ Text: "other" });
  });

  it("may not speak the same protocol", async () => {
    await expect(start({ drivers: [driver(), driver()] })).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  });
});

describe("a unix socket", () => {
  it("is made with its folder and its mode, and nothing else is left", async () => {
    await start({ listen: { unix: path, mode: 0o660 } });
    expect((await lstat(path)).mode & 0o777).toBe(0o660);
    expect((await lstat(join(folder, "plugins"))).mode & 0o777).toBe(0o755);
    expect(await readdir(join(folder, "plugins"))).toEqual(["p.sock"]);
  });

  it("belongs to its user only, unless told otherwise", async () => {
    await start();
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
  });

  it.skipIf(process.getuid?.() !== 0)("is given to owner and group (needs root)", async () => {
    await start({ listen: { unix: path, owner: 12, group: 34 } });
    expect(await lstat(path)).toMatchObject({ uid: 12, gid: 34 });
  });

  it("replaces a stale one", async () => {
    await leaveStaleSocket();
    const plugin = await start();
    expect(await clientOf(plugin.address).wait({})).toEqual({ Text: "done" });
  });

  it("is refused where another process listens, which goes on listening", async () => {
    const first = await start();
    const before = await lstat(path);
    await expect(start()).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: `socket "${path}": another process listens on it, and was left alone`,
    });
    expect((await lstat(path)).ino).toBe(before.ino);
    expect(await clientOf(first.address).wait({})).toEqual({ Text: "done" });
  });

  it.each([
    ["a regular file", () => writeFile(path, "precious")],
    ["a folder", () => mkdir(path)],
    ["a symbolic link", () => symlink("/nowhere", path)],
  ])("never replaces %s", async (_what, make) => {
    await mkdir(join(folder, "plugins"));
    await make();
    const before = await lstat(path);
    await expect(start()).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining("not a socket"),
    });
    expect((await lstat(path)).ino).toBe(before.ino);
    expect(await readdir(join(folder, "plugins"))).toEqual(["p.sock"]);
  });

  it("has one winner when several start at once on a stale one", async () => {
    await leaveStaleSocket();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => start()));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await clientOf(`unix://${path}`).wait({})).toEqual({ Text: "done" });
  });

  it.each(["relative.sock", `/${"x".repeat(120)}/p.sock`])("path %s is refused with a reason", async (unix) => {
    await expect(start({ listen: { unix } })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/is not absolute|bytes too long/),
    });
  });

  it("is removed on close, but not when somebody else has replaced it", async () => {
    const first = await start();
    await first.close();
    expect(existsSync(path)).toBe(false);
    const second = await start();
    await rm(path);
    await writeFile(path, "somebody else's");
    await second.close();
    expect(await readFile(path, "utf8")).toBe("somebody else's");
  });

  it.skipIf(process.getuid?.() === 0)("says which path may not be written (needs an ordinary user)", async () => {
    await chmod(folder, 0o500);
    await expect(start()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await chmod(folder, 0o700);
  });
});

describe("TCP", () => {
  it("writes a spec file that can be dialled, and removes it", async () => {
    const plugin = await start({
      listen: { tcp: { host: "127.0.0.1", port: 0 }, name: "p", specDirectory: join(folder, "etc") },
    });
    const spec = await readFile(join(folder, "etc", "p.spec"), "utf8");
    expect(spec).toBe(`${plugin.address}\n`);
    expect(await clientOf(spec.trim()).wait({})).toEqual({ Text: "done" });
    expect(await readdir(join(folder, "etc"))).toEqual(["p.spec"]);
    await plugin.close();
    expect(await readdir(join(folder, "etc"))).toEqual([]);
  });

  it("replaces the spec file of a dead process, not that of a living one", async () => {
    const listen = { tcp: { host: "127.0.0.1", port: 0 }, name: "p", specDirectory: folder };
    const dead = createServer().listen(0, "127.0.0.1");
    await once(dead, "listening");
    await writeFile(join(folder, "p.spec"), `tcp://127.0.0.1:${(dead.address() as { port: number }).port}`);
    await expect(start({ listen })).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    dead.close();
    await once(dead, "close");
    const plugin = await start({ listen });
    expect(await readFile(join(folder, "p.spec"), "utf8")).toBe(`${plugin.address}\n`);
  });

  it.each(["../p", "a/b", "", ".p", "x".repeat(80)])("refuses the name %j", async (name) => {
    const listen = { tcp: { host: "127.0.0.1", port: 0 }, name, specDirectory: folder };
    await expect(start({ listen })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("close", () => {
  it("lets running calls finish, then closes the drivers", async () => {
    const running = withResolvers<void>();
    const finish = withResolvers<string>();
    const order: string[] = [];
    const slow = driver(
      async () => {
        running.resolve();
        return finish.promise;
      },
      "Test",
      () => order.push("driver closed"),
    );
    const plugin = await start({ drivers: [slow], drainTimeoutMs: 5_000 });
    const call = clientOf(plugin.address)
      .wait({})
      .then(({ Text }) => order.push(Text));
    await running.promise;
    const closing = Promise.all([plugin.close(), plugin.close()]);
    while (existsSync(path)) await new Promise(setImmediate);
    await expect(clientOf(plugin.address).wait({})).rejects.toMatchObject({ code: "UNAVAILABLE", reachedPeer: false });
    finish.resolve("call finished");
    await Promise.all([call, closing]);
    expect(order).toContain("call finished");
    expect(order).toContain("driver closed");
  });

  it("breaks off what does not finish in time", async () => {
    const running = withResolvers<void>();
    const stuck = driver(() => {
      running.resolve();
      return new Promise(() => {});
    });
    const plugin = await start({ drivers: [stuck] });
    const call = clientOf(plugin.address).wait({});
    const failure = expect(call).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await running.promise;
    await plugin.close();
    await failure;
  });

  it("does not wait for connections that are idle or were never used", async () => {
    const plugin = await start({ drainTimeoutMs: 60_000 });
    const spare = connect(path);
    await once(spare, "connect");
    await clientOf(plugin.address).wait({});
    await plugin.close();
    spare.destroy();
  });

  it("reports a driver that cannot be closed, after closing the rest", async () => {
    let closed = false;
    const bad = driver(undefined, "Test", () => {
      throw new Error("busy");
    });
    const plugin = await serve({
      drivers: [bad, driver(undefined, "Other", () => (closed = true))],
      listen: { unix: path },
    });
    await expect(plugin.close()).rejects.toThrow(AggregateError);
    expect(closed).toBe(true);
    expect(existsSync(path)).toBe(false);
  });

  it("happens on an aborted signal and at the end of `await using`", async () => {
    const abort = new AbortController();
    const closed = withResolvers<void>();
    await start({ drivers: [driver(undefined, "Test", () => closed.resolve())], signal: abort.signal });
    abort.abort();
    await closed.promise;
    {
      await using plugin = await start();
      expect(existsSync(path)).toBe(plugin.address !== "");
    }
    expect(existsSync(path)).toBe(false);
  });

  it("happens on a first signal; a second one does not wait", async () => {
    const running = withResolvers<void>();
    const stuck = driver(() => {
      running.resolve();
      return new Promise(() => {});
    });
    const plugin = await start({ drivers: [stuck] });
    const seen: string[] = [];
    const done = closeOnSignals(plugin, {
      signals: ["SIGUSR2"],
      onSignal: (signal) => seen.push(`first ${signal}`),
      onSecondSignal: (signal) => seen.push(`second ${signal}`),
    });
    const call = clientOf(plugin.address).wait({});
    call.catch(() => {});
    await running.promise;
    process.emit("SIGUSR2", "SIGUSR2");
    process.emit("SIGUSR2", "SIGUSR2");
    await done;
    expect(seen).toEqual(["first SIGUSR2", "second SIGUSR2"]);
    expect(process.listenerCount("SIGUSR2")).toBe(0);
  });
});

function withResolvers<T>() {
  let resolve!: (value: T | PromiseLike<T>) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
