/** Plugins that Cleat did not write, hostile ones among them. What it did write is tested in as-plugin.test.ts. */
import { describe, expect, it, vi } from "vitest";
import { volumeDriverProtocol } from "../protocol/index.ts";
import { createClient, type Transport } from "../transport/index.ts";
import { createRemoteVolumeDriver, createVolumeDriverFromPlugin } from "./index.ts";
import { answering, manifest, openAnswering as open } from "./memory-volumes.test.support.ts";

describe("activation", () => {
  it.each<[string, [number, string], string, string]>([
    ["404", [404, "404 page not found"], "FAILED_PRECONDITION", '"old" at test: is not a plugin'],
    ["HTML", [200, "<html>"], "FAILED_PRECONDITION", "is not a plugin"],
    ["another manifest", [200, '{"Implements":["authz"]}'], "UNIMPLEMENTED", "it implements authz"],
  ])("refuses %s", async (_what, answer, code, text) => {
    const { transport } = answering({ "/Plugin.Activate": answer });
    const opening = createVolumeDriverFromPlugin(transport, { name: "old" });
    await expect(opening).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
  });

  it("can be given up, and has a deadline", async () => {
    const silent = { ...answering({}).transport, send: rejectedWhenAborted };
    const giveUp = AbortSignal.abort();
    await expect(createVolumeDriverFromPlugin(silent, { name: "p", signal: giveUp })).rejects.toMatchObject({
      code: "CANCELLED",
    });
    await expect(createVolumeDriverFromPlugin(silent, { name: "p", timeoutMs: 1 })).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
    });
  });

  it("is not waited for longer because calls may take longer", async () => {
    vi.useFakeTimers();
    try {
      const silent = { ...answering({}).transport, send: rejectedWhenAborted };
      const opening = createVolumeDriverFromPlugin(silent, { name: "p", timeoutMs: 120_000 });
      const refused = expect(opening).rejects.toThrow("gave no answer within 10000 ms");
      await vi.advanceTimersByTimeAsync(10_000);
      await refused;
    } finally {
      vi.useRealTimers();
    }
  });

  it("is not needed where somebody has activated the plugin", async () => {
    const { asked, transport } = answering({ "/VolumeDriver.List": [200, "{}"] });
    const driver = createRemoteVolumeDriver(createClient(volumeDriverProtocol, transport), { name: "p" });
    expect(await driver.list()).toEqual([]);
    expect(asked).toEqual(["/VolumeDriver.List"]);
  });
});

describe("get", () => {
  const get = async (body: string) => (await open({ "/VolumeDriver.Get": [200, body] })).driver.get("data");

  it.each(['{"Volume":null}', "{}", "", "null"])("of no volume is NOT_FOUND: %j", async (body) => {
    await expect(get(body)).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: 'volume "data" is not there: plugin "old" answered none',
    });
  });

  it.each<[string, string, string]>([
    ["another volume", '{"Volume":{"Name":"../../etc"}}', 'Name: "../../etc" is not "data"'],
    ["a relative path", '{"Volume":{"Name":"data","Mountpoint":"etc"}}', 'Mountpoint: "etc" is not an absolute path'],
    ["a path with a NUL", '{"Volume":{"Name":"data","Mountpoint":"/\\u0000"}}', "is not an absolute path"],
    ["a list", '{"Volume":[]}', "Volume: "],
  ])("of %s is DATA_LOSS", async (_what, body, text) => {
    await expect(get(body)).rejects.toMatchObject({ code: "DATA_LOSS", message: expect.stringContaining(text) });
  });

  it.each<[string, string | undefined]>([
    ["2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000Z"],
    ["2024-02-29T23:59:59.123456789+02:00", "2024-02-29T21:59:59.123Z"],
    ["0001-01-01T00:00:00Z", undefined],
    ["", undefined],
    ["yesterday", undefined],
    ["2024-13-01T00:00:00Z", undefined],
    ["1709251199", undefined],
    ["+012345-01-01T00:00:00Z", undefined],
  ])("reads the time of creation %j as %j", async (CreatedAt, time) => {
    const volume = await get(JSON.stringify({ Volume: { Name: "data", CreatedAt } }));
    expect(volume.createdAt?.toISOString()).toBe(time);
  });

  it("lets no status reach a prototype", async () => {
    const status = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"ok":{"__proto__":{"a":1}}}';
    const volume = await get(`{"Volume":{"Name":"data","Status":${status}}}`);
    expect(Object.getPrototypeOf(volume.status)).toBe(Object.prototype);
    expect(Object.keys(volume.status ?? {})).toEqual(["constructor", "ok"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("list", () => {
  it("leaves out what is of no use to a caller, with one warning for all of it", async () => {
    const volumes = [
      { Name: "a", Mountpoint: "/a" },
      { Name: "../../etc" },
      { Name: "b\u001b[2J" },
      { Name: "" },
      { Name: "a", Mountpoint: "/evil" },
      { Name: "c", Mountpoint: "relative" },
      { Name: "x".repeat(10_000) },
      { Name: "d", Mountpoint: "", CreatedAt: "bad" },
    ];
    const { driver, lines } = await open({ "/VolumeDriver.List": [200, JSON.stringify({ Volumes: volumes })] });
    expect(await driver.list()).toEqual([{ name: "a", mountpoint: "/a" }, { name: "d" }]);
    expect(lines).toEqual([
      {
        level: "warn",
        message: "volumes are left out of the list",
        plugin: "old",
        leftOut: 6,
        reason: 'Name: "../../etc" names no volume',
      },
    ]);
  });

  it.each(["{}", '{"Volumes":null}', ""])("is empty for %j", async (body) => {
    const { driver } = await open({ "/VolumeDriver.List": [200, body] });
    expect(await driver.list()).toEqual([]);
  });

  it("may be long", async () => {
    const volumes = Array.from({ length: 100_000 }, (_, index) => ({ Name: `v${index}`, Mountpoint: `/v/${index}` }));
    const { driver, lines } = await open({ "/VolumeDriver.List": [200, JSON.stringify({ Volumes: volumes })] });
    expect((await driver.list()).at(-1)).toMatchObject({ name: "v99999", mountpoint: "/v/99999" });
    expect(lines).toEqual([]);
  });

  it("is not read beyond the cap", async () => {
    const { transport } = answering({ ...manifest, "/VolumeDriver.List": [200, " ".repeat(2_000)] });
    const driver = await createVolumeDriverFromPlugin(transport, { name: "old", maxReplyBytes: 1_000 });
    await expect(driver.list()).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  });
});

describe("mount and path", () => {
  it.each<[string, string, string]>([
    ["nothing", "{}", "is empty"],
    ["an empty path", '{"Mountpoint":""}', "is empty"],
    ["a relative path", '{"Mountpoint":"../etc"}', '"../etc" is not an absolute path'],
    ["a path with a NUL", '{"Mountpoint":"/a\\u0000b"}', '"/a\\u0000b" is not an absolute path'],
  ])("a mount at %s is DATA_LOSS", async (_what, body, problem) => {
    const { driver } = await open({ "/VolumeDriver.Mount": [200, body] });
    await expect(driver.mount("data", "c")).rejects.toMatchObject({
      code: "DATA_LOSS",
      message: `answer of /VolumeDriver.Mount on plugin "old" does not fit its schema: Mountpoint: ${problem}`,
    });
  });

  it("an empty path is that of a volume which is not mounted", async () => {
    const { driver } = await open({ "/VolumeDriver.Path": [200, '{"Mountpoint":""}'] });
    expect(await driver.path("data")).toBeUndefined();
  });

  it("a relative path is DATA_LOSS", async () => {
    const { driver } = await open({ "/VolumeDriver.Path": [200, '{"Mountpoint":"etc"}'] });
    await expect(driver.path("data")).rejects.toMatchObject({ code: "DATA_LOSS" });
  });
});

describe("every call", () => {
  const path = "/VolumeDriver.Remove";
  it.each<[string, [number, string], string, string]>([
    ["an Err with 500", [500, '{"Err":"no space"}'], "UNKNOWN", "no space"],
    ["an Err with 200 (U11)", [200, '{"Err":"no space"}'], "UNKNOWN", "no space"],
    ["404", [404, "404 page not found"], "UNIMPLEMENTED", "page not found"],
    ["HTML", [200, "<html>"], "DATA_LOSS", "not JSON"],
  ])("makes an error of %s", async (_what, answer, code, text) => {
    const { driver } = await open({ [path]: answer });
    await expect(driver.remove("data")).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
  });

  it("checks the name before it sends it", async () => {
    const { driver, asked } = await open({});
    const calls = [
      driver.create("../a", {}),
      driver.get("../a"),
      driver.remove("../a"),
      driver.path("../a"),
      driver.mount("../a", "c"),
      driver.unmount("../a", "c"),
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(asked).toEqual(["/Plugin.Activate"]);
  });

  it("can be given up and has the deadline it is given", async () => {
    const { transport } = answering(manifest);
    const driver = await createVolumeDriverFromPlugin(
      { ...transport, send: (wire) => (wire.path === "/Plugin.Activate" ? transport : silent).send(wire) },
      { name: "old" },
    );
    const calls = [
      (call: object) => driver.create("a", {}, call),
      (call: object) => driver.list(call),
      (call: object) => driver.get("a", call),
      (call: object) => driver.remove("a", call),
      (call: object) => driver.path("a", call),
      (call: object) => driver.mount("a", "c", call),
      (call: object) => driver.unmount("a", "c", call),
      (call: object) => driver.capabilities(call),
    ];
    for (const call of calls) {
      await expect(call({ timeoutMs: 1 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
      await expect(call({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
    }
  });

  it("close sends nothing", async () => {
    const { driver, asked } = await open({});
    await driver.close();
    await driver.close();
    expect(asked).toEqual(["/Plugin.Activate"]);
  });
});

const rejectedWhenAborted: Transport["send"] = ({ signal }) =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });
const silent: Pick<Transport, "send"> = { send: rejectedWhenAborted };
