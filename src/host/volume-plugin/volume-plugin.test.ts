/** Calls on volume plugins that are open. */
import { rename, rm, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CleatError, errorCodes, type ErrorCode, RemoteError } from "../../errors/index.ts";
import { createVolumeDriverPlugin } from "../../volume/index.ts";
import { createdAt, createMemoryVolumes, withResolvers } from "../../volume/memory-volumes.test.support.ts";
import { activates, type Behaviour, reply, socketOf, startFake, startPlugin } from "../peers.test.support.ts";
import { createVolumePlugins, type VolumePlugins } from "./volume-plugins.ts";

let plugins: VolumePlugins;
beforeEach(() => {
  plugins = createVolumePlugins();
});
afterEach(() => plugins.close());

const open = () => plugins.open("p", socketOf("p"));
const silent: Behaviour = () => {};
const says = (body: string, head?: string): Behaviour => {
  return (socket) => socket.write(reply(body, head));
};
const failed = "HTTP/1.1 500 Internal Server Error";

function startMemoryVolumes(...overrides: Parameters<typeof createMemoryVolumes>) {
  const { service } = createVolumeDriverPlugin(createMemoryVolumes(...overrides));
  return startPlugin("p", service.implementation as object);
}

it("has the methods of a volume driver", async () => {
  const { calls } = await startMemoryVolumes();
  const plugin = await open();
  expect(plugin).toMatchObject({ name: "p", socketPath: socketOf("p") });
  await plugin.create("data", { options: { size: "1g" } });
  expect(await plugin.path("data")).toBeUndefined();
  expect(await plugin.mount("data", "c")).toBe("/volumes/data");
  expect(await plugin.path("data")).toBe("/volumes/data");
  const status = { Holders: ["c"], Options: { size: "1g" } };
  const volume = { name: "data", mountpoint: "/volumes/data", createdAt, status };
  expect(await plugin.get("data")).toEqual(volume);
  expect(await plugin.list()).toEqual([volume]);
  await plugin.unmount("data", "c");
  await plugin.remove("data");
  expect(await plugin.list()).toEqual([]);
  expect(calls.filter((path) => path === "/Plugin.Activate")).toHaveLength(1);
});

describe("a failure", () => {
  it.each(Object.keys(errorCodes) as ErrorCode[])("keeps its code and its text: %s", async (code) => {
    const remove = async (name: string) => Promise.reject(new CleatError(code, `volume "${name}" is stuck`));
    await startMemoryVolumes({ remove });
    const failure = (await open()).remove("data");
    await expect(failure).rejects.toMatchObject({
      code,
      message: 'on "data" in volume plugin "p": volume "data" is stuck',
      cause: expect.any(RemoteError),
    });
  });

  it.each<[string, Behaviour, ErrorCode, string]>([
    ["an Err", says('{"Err":"no space"}', failed), "UNKNOWN", "no space"],
    ["an Err with status 200 (U11)", says('{"Err":"no space"}'), "UNKNOWN", "no space"],
    ["plain text", says("no space\n", failed), "UNKNOWN", "no space"],
    ["an empty Err", says('{"Err":""}', failed), "UNKNOWN", "empty error from plugin"],
    ["an empty object", says("{}", failed), "UNKNOWN", "empty error from plugin"],
    ["null", says("null", failed), "UNKNOWN", "empty error from plugin"],
    ["no body", says("", failed), "UNKNOWN", "empty error from plugin"],
    [
      "another status than 200",
      says('{"Mountpoint":"/a"}', "HTTP/1.1 204 No Content"),
      "UNKNOWN",
      "empty error from plugin",
    ],
    ["404", says("404 page not found", "HTTP/1.1 404 Not Found"), "UNIMPLEMENTED", "404 page not found"],
  ])("that is %s is told in Podman's words", async (_what, behaviour, code, text) => {
    await startFake("p", activates, behaviour);
    const message = `on "data" in volume plugin "p": ${text}`;
    await expect((await open()).mount("data", "c")).rejects.toMatchObject({ code, message });
  });

  it("without a volume names the plugin alone", async () => {
    await startFake("p", activates, says("", failed));
    const message = 'in volume plugin "p": empty error from plugin';
    await expect((await open()).list()).rejects.toMatchObject({ code: "UNKNOWN", message });
  });

  it("of a plugin that breaks its schema is told, too", async () => {
    await startFake("p", activates, says("{}"));
    const plugin = await open();
    const place = 'on "data" in volume plugin "p": ';
    await expect(plugin.get("data")).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: `${place}volume "data" is not there: plugin "p" answered none`,
    });
    await expect(plugin.mount("data", "c")).rejects.toMatchObject({
      code: "DATA_LOSS",
      message: `${place}answer of /VolumeDriver.Mount on plugin "p" does not fit its schema: Mountpoint: is empty`,
    });
  });

  it("of a name that names no volume reaches nobody", async () => {
    const { calls } = await startMemoryVolumes();
    const plugin = await open();
    await expect(plugin.get("../etc")).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(
        /^on "\.\.\/etc" in volume plugin "p": volume name "\.\.\/etc" is not of the form /,
      ),
    });
    const long = await plugin.get("x".repeat(100_000)).catch((error: unknown) => error);
    expect((long as Error).message.length).toBeLessThan(600);
    expect(calls).toEqual(["/Plugin.Activate"]);
  });
});

describe("patience", () => {
  it("ends with the deadline of the call, of the method, of the plugin, in this order", async () => {
    await startFake("p", activates, silent);
    const methodTimeoutsMs = { "/Plugin.Activate": 5_000, "/VolumeDriver.Get": 21 };
    plugins = createVolumePlugins({ policy: { timeoutMs: 5_000, methodTimeoutsMs } });
    const plugin = await plugins.open("p", socketOf("p"), { timeoutMs: 22 });
    const within = (timeoutMs: number) => ({
      code: "DEADLINE_EXCEEDED",
      message: expect.stringContaining(`in volume plugin "p": /VolumeDriver.`),
      cause: { message: expect.stringContaining(`gave no answer within ${timeoutMs} ms`) },
    });
    await expect(plugin.get("a", { timeoutMs: 20 })).rejects.toMatchObject(within(20));
    await expect(plugin.get("a")).rejects.toMatchObject(within(21));
    await expect(plugin.mount("a", "c")).rejects.toMatchObject(within(22));
  });

  it("ends with the caller's signal, in every method", async () => {
    await startFake("p", activates, silent);
    const plugin = await open();
    const calls = [
      (call: object) => plugin.create("a", {}, call),
      (call: object) => plugin.list(call),
      (call: object) => plugin.get("a", call),
      (call: object) => plugin.remove("a", call),
      (call: object) => plugin.path("a", call),
      (call: object) => plugin.mount("a", "c", call),
      (call: object) => plugin.unmount("a", "c", call),
    ];
    for (const call of calls) {
      const giveUp = new AbortController();
      const calling = call({ signal: giveUp.signal });
      giveUp.abort(new Error("no more"));
      await expect(calling).rejects.toMatchObject({ code: "CANCELLED" });
    }
  });

  it("does not extend to long answers", async () => {
    await startFake("p", activates, says(`{"Volumes":[${" ".repeat(2_000)}]}`));
    plugins = createVolumePlugins({ policy: { maxReplyBytes: 1_000 } });
    await expect((await open()).list()).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  });
});

describe("a socket that is gone", () => {
  const gone = {
    code: "UNAVAILABLE",
    message: expect.stringMatching(
      /^on "a" in volume plugin "p": no longer available \(shut down\?\): .*p\.sock" is n/,
    ),
  };

  it("is UNAVAILABLE, and its name is free for another path", async () => {
    const { stop } = await startPlugin("p");
    await startPlugin("other");
    const plugin = await open();
    await stop();
    await expect(plugin.path("a")).rejects.toMatchObject(gone);
    expect(await (await plugins.open("p", socketOf("other"))).path("a")).toBe("/other");
    await expect(plugin.path("a")).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  });

  it("is UNAVAILABLE also where something else stands in its place", async () => {
    const { calls } = await startPlugin("p");
    const plugin = await open();
    await rm(socketOf("p"));
    await writeFile(socketOf("p"), "");
    await expect(plugin.path("a")).rejects.toMatchObject(gone);
    expect(calls).toEqual(["/Plugin.Activate"]);
  });

  it("is NOT_FOUND for who opens it anew", async () => {
    const { stop } = await startPlugin("p");
    await open();
    await stop();
    await expect(open()).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("is of use again when it is back", async () => {
    const { stop } = await startPlugin("p");
    const plugin = await open();
    await stop();
    await expect(plugin.path("a")).rejects.toMatchObject(gone);
    const { calls } = await startPlugin("p", { path: async () => ({ Mountpoint: "/back" }) });
    expect(await plugin.path("a")).toBe("/back");
    expect(calls).toEqual(["/Plugin.Activate", "/VolumeDriver.Path"]);
  });
});

describe("a socket that is another one (U12)", () => {
  it("is validated before it is called, once for all callers", async () => {
    await startPlugin("p");
    const plugin = await open();
    await plugin.path("a");
    const { calls } = await startPlugin("q");
    await rename(socketOf("q"), socketOf("p"));
    const paths = await Promise.all(Array.from({ length: 20 }, () => plugin.path("a")));
    expect(new Set(paths)).toEqual(new Set(["/q"]));
    expect(calls[0]).toBe("/Plugin.Activate");
    expect(calls.filter((path) => path === "/Plugin.Activate")).toHaveLength(1);
    expect(calls).toHaveLength(21);
  });

  it.each<[string, Behaviour, ErrorCode]>([
    ["another kind of plugin", says('{"Implements":["authz"]}'), "UNIMPLEMENTED"],
    ["no plugin", says("<html>"), "FAILED_PRECONDITION"],
  ])("is not called when it is %s, and is forgotten", async (_what, behaviour, code) => {
    await startPlugin("p");
    await startPlugin("other");
    const plugin = await open();
    const { calls } = await startFake("q", behaviour);
    await rename(socketOf("q"), socketOf("p"));
    await expect(plugin.mount("a", "c")).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^on "a" in volume plugin "p": /),
    });
    expect(calls).toEqual(["/Plugin.Activate"]);
    await plugins.open("p", socketOf("other"));
  });

  it("costs no more than the call's own deadline when it is silent", async () => {
    await startPlugin("p");
    const plugin = await open();
    const { calls } = await startFake("q", silent);
    await rename(socketOf("q"), socketOf("p"));
    await expect(plugin.mount("a", "c", { timeoutMs: 30 })).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
      message: 'on "a" in volume plugin "p": /VolumeDriver.Mount gave no answer within 30 ms',
    });
    expect(calls).toEqual(["/Plugin.Activate"]);
  });

  it("takes nothing from calls under way", async () => {
    const answer = withResolvers<{ Mountpoint: string }>();
    const called = withResolvers<void>();
    await startPlugin("p", { mount: () => (called.resolve(), answer.promise) });
    const plugin = await open();
    const mounting = plugin.mount("a", "c");
    await called.promise;
    await startPlugin("q");
    await rename(socketOf("q"), socketOf("p"));
    expect(await plugin.path("a")).toBe("/q");
    answer.resolve({ Mountpoint: "/old" });
    expect(await mounting).toBe("/old");
  });
});
