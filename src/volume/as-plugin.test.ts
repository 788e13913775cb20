/** Both ends together, and what engines see of ours. Plugins that Cleat did not write are in from-plugin.test.ts. */
import { describe, expect, it } from "vitest";
import { CleatError, errorCodes, type ErrorCode, RemoteError } from "../errors/index.ts";
import { createHandler, type Logger, silentLogger, type WireReply } from "../transport/index.ts";
import type { Volume, VolumeDriver } from "./driver.ts";
import { createVolumeDriverPlugin } from "./index.ts";
import {
  connect,
  createdAt,
  createMemoryVolumes,
  createRecorder,
  withResolvers,
} from "./memory-volumes.test.support.ts";

describe("a driver behind the protocol", () => {
  it("may say null of the time that it does not know", async () => {
    const unknown = { name: "data", createdAt: null } as unknown as Volume;
    const { driver } = createMemoryVolumes({ get: async () => unknown, list: async () => [unknown] });
    const { remote } = await connect(driver);
    expect(await remote.get("data")).toMatchObject({ name: "data" });
    expect(await remote.list()).toMatchObject([{ name: "data" }]);
  });

  it("is a driver: every call arrives and comes back in the contract's shape", async () => {
    const { driver, signals } = createMemoryVolumes();
    const { remote } = await connect(driver);
    expect(remote.name).toBe("p");
    expect(await remote.capabilities()).toEqual({ scope: "global" });
    await remote.create("data", { options: { size: "1g" } });
    await remote.create("other"); // no options are none
    expect(await remote.path("data")).toBeUndefined();
    expect(await remote.mount("data", "c1")).toBe("/volumes/data");
    expect(await remote.mount("data", "c2")).toBe("/volumes/data");
    const status = { Holders: ["c1", "c2"], Options: { size: "1g" } };
    expect(await remote.get("data")).toEqual({ name: "data", mountpoint: "/volumes/data", createdAt, status });
    expect(await remote.list()).toEqual(await driver.list());
    expect(await remote.path("data")).toBe("/volumes/data");
    await expect(remote.remove("data")).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    await remote.unmount("data", "c1");
    await remote.unmount("data", "c2");
    await remote.remove("data");
    expect(await remote.list()).toMatchObject([{ name: "other", status: { Options: {} } }]);
    await remote.close();
    expect(signals.length).toBeGreaterThan(12);
    expect(signals.filter((signal) => !(signal instanceof AbortSignal))).toEqual([undefined]); // our own list()
  });

  it.each(Object.keys(errorCodes) as ErrorCode[])("fails with the driver's own code: %s", async (code) => {
    const failing: VolumeDriver["mount"] = async (name) => {
      throw new CleatError(code, `volume "${name}": no`);
    };
    const { remote } = await connect(createMemoryVolumes({ mount: failing }).driver);
    const failure = await remote.mount("data", "c").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RemoteError);
    expect(failure).toMatchObject({ code, remoteMessage: 'volume "data": no', method: "/VolumeDriver.Mount" });
  });

  it("hears it when its caller gives up", async () => {
    const giveUp = new AbortController();
    const stopped = withResolvers<unknown>();
    const mount: VolumeDriver["mount"] = (_name, _id, options) =>
      new Promise((_, reject) => {
        options?.signal?.addEventListener("abort", () => {
          stopped.resolve("stopped");
          reject(new CleatError("CANCELLED", "stopped"));
        });
        giveUp.abort();
      });
    const { remote } = await connect(createMemoryVolumes({ mount }).driver);
    await expect(remote.mount("data", "c", { signal: giveUp.signal })).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await stopped.promise).toBe("stopped");
  });

  it("sees no name that a path would resolve", async () => {
    const { driver, signals } = createMemoryVolumes();
    const { client } = await connect(driver);
    for (const Name of ["", ".", "..", "../etc", "a/b", "a\0", "a\n", "-a", "é", "a".repeat(256)]) {
      const calls = [
        client.create({ Name, Opts: {} }),
        client.get({ Name }),
        client.remove({ Name }),
        client.path({ Name }),
        client.mount({ Name, ID: "c" }),
        client.unmount({ Name, ID: "c" }),
      ];
      for (const refused of calls) await expect(refused).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    expect(signals).toEqual([]);
  });

  it.each(["a", "0", "data", "A_b.c-d", "a..b", "a".repeat(255)])(
    "sees every name that engines have: %s",
    async (name) => {
      const { remote } = await connect(createMemoryVolumes().driver);
      await remote.create(name, {});
      expect(await remote.get(name)).toMatchObject({ name });
    },
  );

  it("is closed with the plugin", async () => {
    let closed = 0;
    const { plugin } = await connect(createMemoryVolumes({ close: async () => void closed++ }).driver);
    await plugin.close();
    expect(closed).toBe(1);
  });
});

describe("a driver whose author has no compiler", () => {
  const get = { Name: "a" };
  it.each<[method: string, request: object, answer: unknown, sentence: string]>([
    ["Get", get, undefined, "get answered undefined, and no volume"],
    ["Get", get, "a", "get answered 'a', and no volume"],
    ["Get", get, {}, "get answered a volume whose name is undefined"],
    ["Get", get, { name: "a", createdAt: "2026" }, `get answered volume "a", whose createdAt is '2026', and no Date`],
    ["Get", get, { name: "a", mountpoint: 5 }, 'get answered volume "a", whose mountpoint is 5, and no path'],
    ["List", {}, undefined, "list answered undefined, and no object"],
    ["List", {}, [undefined], "list answered undefined, and no volume"],
    ["Capabilities", {}, null, "capabilities answered null, and no object"],
  ])("is told what its %s answered to %j: %j", async (method, request, answer, sentence) => {
    const { driver } = createMemoryVolumes({ [method.toLowerCase()]: async () => answer });
    const reply = await send(driver, method, request);
    expect(reply.status).toBe(500);
    expect(JSON.parse(String(reply.body)).Err).toBe(`volume driver "${driver.name}": ${sentence}`);
  });
});

describe("what goes over the wire", () => {
  const volumes: Volume[] = [
    { name: "a", mountpoint: "/a", createdAt, status: { Size: 1 } },
    { name: "b" },
    { name: "c", createdAt: new Date(Number.NaN) },
    { name: "d", createdAt: new Date("+012345-01-01T00:00:00Z") },
  ];

  it("is what Go reads: no time of creation rather than one it would refuse", async () => {
    const { driver } = createMemoryVolumes({ list: async () => volumes });
    expect(await call(driver, "List", {})).toEqual({
      Volumes: [
        { Name: "a", Mountpoint: "/a", CreatedAt: "2024-02-29T23:59:59.123Z", Status: { Size: 1 } },
        { Name: "b" },
        { Name: "c" },
        { Name: "d" },
      ],
    });
  });

  it("reads what Go leaves out", async () => {
    const { driver } = createMemoryVolumes();
    expect(await call(driver, "Create", { name: "a", Opts: null })).toEqual({});
    expect(await call(driver, "Mount", { NAME: "a" })).toEqual({ Mountpoint: "/volumes/a" });
    expect(await call(driver, "Unmount", { Name: "a" })).toEqual({});
    expect(await call(driver, "Path", { Name: "a" })).toEqual({ Mountpoint: "" });
    expect(await call(driver, "Capabilities", undefined)).toEqual({ Capabilities: { Scope: "global" } });
  });

  it("leaves out of the list what could not be named in a call, with one warning", async () => {
    const names = ["a", "lost+found", "a", "..", "b"];
    const { lines, logger } = createRecorder();
    const { driver } = createMemoryVolumes({ list: async () => names.map((name) => ({ name })) });
    const answer = JSON.parse(String((await send(driver, "List", {}, logger)).body));
    expect(answer).toEqual({ Volumes: [{ Name: "a" }, { Name: "b" }] });
    expect(lines).toEqual([
      {
        level: "warn",
        message: "volumes are left out of the list",
        driver: "memory",
        leftOut: 3,
        reason: 'Name: "lost+found" names no volume',
      },
    ]);
  });

  it.each(["", "volumes/a", "/a\0b"])("is a failure where a mount is nowhere: %j", async (path) => {
    const { driver } = createMemoryVolumes({ mount: async () => path });
    const reply = await send(driver, "Mount", { Name: "a", ID: "c" });
    expect(reply.status).toBe(500);
    expect(JSON.parse(String(reply.body))).toMatchObject({
      Code: "INTERNAL",
      Err: `volume "a" of driver "memory" is mounted at ${JSON.stringify(path)}, which is not an absolute path`,
    });
  });

  it("is 500 with Err for every failure, because Podman looks at nothing else (U11)", async () => {
    const { driver } = createMemoryVolumes();
    for (const [method, request] of [
      ["Get", { Name: "a" }],
      ["Mount", { Name: "../a" }],
    ] as const) {
      const reply = await send(driver, method, request);
      expect(reply.status).toBe(500);
      expect(JSON.parse(String(reply.body)).Err).toContain("volume");
    }
  });

  it("never tells the value of an option, which may be a password", async () => {
    const reply = await send(createMemoryVolumes().driver, "Create", { Name: "a", Opts: { password: ["secret"] } });
    expect(reply.status).toBe(400);
    expect(String(reply.body)).toContain("password");
    expect(String(reply.body)).not.toContain("secret");
  });
});

async function send(
  driver: VolumeDriver,
  method: string,
  body: unknown,
  logger: Logger = silentLogger,
): Promise<WireReply> {
  const { service } = createVolumeDriverPlugin({ driver, logger });
  return createHandler([service])({
    path: `/VolumeDriver.${method}`,
    query: {},
    body: Buffer.from(body === undefined ? "" : JSON.stringify(body)),
    signal: new AbortController().signal,
  });
}

async function call(driver: VolumeDriver, method: string, body: unknown): Promise<unknown> {
  const reply = await send(driver, method, body);
  expect(reply.status).toBe(200);
  return JSON.parse(String(reply.body));
}
