import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pluginProtocol } from "../protocol/index.ts";
import { createClient, createHttpTransport, parseAddress } from "../transport/index.ts";
import { closeOnSignals, serve } from "./index.ts";
import { clientOf, driver, path, protocolNamed, start, testProtocol, withResolvers } from "./serve.test.support.ts";
import { once } from "node:events";
import { connect } from "node:net";

describe("several drivers on one socket", () => {
  it("are all activated and called", async () => {
    const plugin = await start({ drivers: [driver(), driver(async () => "other", "Other")] });
    const transport = createHttpTransport(parseAddress(plugin.address));
    expect(await createClient(pluginProtocol, transport).activate({})).toEqual({ Implements: ["Test", "Other"] });
    expect(await createClient(testProtocol, transport).wait({})).toEqual({ Text: "done" });
    expect(await createClient(protocolNamed("Other"), transport).wait({})).toEqual({ Text: "other" });
  });

  it("announce what their protocol says, where that is not its name", async () => {
    const { service } = driver();
    const announced = { ...service, protocol: { ...service.protocol, implements: "test" } };
    const plugin = await start({ drivers: [{ service: announced }] });
    const transport = createHttpTransport(parseAddress(plugin.address));
    expect(await createClient(pluginProtocol, transport).activate({})).toEqual({ Implements: ["test"] });
  });

  it("may not speak the same protocol", async () => {
    await expect(start({ drivers: [driver(), driver()] })).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  });
});

it("a driver is told where the plugin listens, and nothing where another one does", async () => {
  const told: string[] = [];
  const listener = { ...driver(), onListening: (address: string) => void told.push(address) };
  const { address } = await start({ drivers: [listener] });
  await expect(start({ drivers: [listener] })).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
  expect(told).toEqual([address]);
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

  it("answers a call that comes on an idle connection meanwhile", async () => {
    const plugin = await start({ drainTimeoutMs: 60_000 });
    const idle = connect(path);
    await once(idle, "connect");
    idle.write("POST /Test.Wait HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    await once(idle, "data");
    const closing = plugin.close();
    idle.write("POST /Test.Wait HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    const answer = Buffer.concat(await idle.toArray()).toString();
    expect(answer).toContain("Connection: close");
    expect(answer).toContain('{"Text":"done"}');
    await closing;
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
      sameSignalMs: 0,
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

  it("happens once, also when the caller aborts before a signal or with it", async () => {
    let closed = 0;
    const ending = new AbortController();
    const close = async () => void closed++;
    const done = closeOnSignals({ close }, { signals: ["SIGUSR2"], signal: ending.signal });
    ending.abort();
    process.emit("SIGUSR2", "SIGUSR2");
    await done;
    await closeOnSignals({ close }, { signals: ["SIGUSR2"], signal: ending.signal });
    expect(closed).toBe(2);
    expect(process.listenerCount("SIGUSR2")).toBe(0);
  });
});
