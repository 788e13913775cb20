/** Both ends together, what engines see of ours, and plugins that Cleat did not write. */
import { describe, expect, it } from "vitest";
import { CleatError } from "../errors/index.ts";
import { ipamDriverProtocol, pluginProtocol } from "../protocol/index.ts";
import { createClient, createHandler, createMemoryTransport, implement, type Transport } from "../transport/index.ts";
import {
  createIpamDriverFromPlugin,
  createIpamDriverPlugin,
  createRemoteIpamDriver,
  type IpamDriver,
} from "./index.ts";

function createMemoryIpam(overrides: Partial<IpamDriver> = {}) {
  const asked: unknown[] = [];
  const driver: IpamDriver = {
    name: "memory",
    capabilities: async () => ({ requiresMacAddress: true }),
    defaultAddressSpaces: async () => ({ local: "here", global: "everywhere" }),
    requestPool: async (request) => (asked.push(request), { id: "p", pool: "10.1.0.0/16", data: { a: "b" } }),
    releasePool: async (id) => void asked.push(id),
    async requestAddress(id, request) {
      asked.push([id, request]);
      if (id !== "p") throw new CleatError("NOT_FOUND", `pool "${id}" does not exist`);
      return { address: "10.1.0.2/16" };
    },
    releaseAddress: async (...call) => void asked.push(call.slice(0, 2)),
    close: async () => void asked.push("close"),
    ...overrides,
  };
  return { driver, asked };
}

async function connect(driver: IpamDriver) {
  const plugin = createIpamDriverPlugin({ driver });
  const activation = implement(pluginProtocol, { activate: async () => ({ Implements: ["IpamDriver"] }) });
  const transport = createMemoryTransport(createHandler([activation, plugin.service]));
  const remote = await createIpamDriverFromPlugin(transport, { name: "p" });
  return { plugin, remote, client: createClient(ipamDriverProtocol, transport) };
}

describe("a driver behind the protocol", () => {
  it("is a driver: every call arrives and comes back in the contract's shape", async () => {
    const { driver, asked } = createMemoryIpam();
    const { remote, plugin } = await connect(driver);
    expect(await remote.capabilities()).toEqual({ requiresMacAddress: true, requiresRequestReplay: false });
    expect(await remote.defaultAddressSpaces()).toEqual({ local: "here", global: "everywhere" });
    const request = {
      addressSpace: "here",
      pool: "10.1.0.0/16",
      subPool: "10.1.2.0/24",
      options: { a: "b" },
      v6: false,
    };
    expect(await remote.requestPool(request)).toEqual({ id: "p", pool: "10.1.0.0/16", data: { a: "b" } });
    const address = { address: "10.1.0.2", type: "gateway", macAddress: "02:42:0a:01:00:02" } as const;
    expect(await remote.requestAddress("p", address)).toEqual({ address: "10.1.0.2/16", data: {} });
    await remote.requestAddress("p");
    await expect(remote.requestAddress("q")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await remote.releaseAddress("p", "10.1.0.2");
    await remote.releasePool("p");
    await remote.close();
    await plugin.close();
    const options = {
      RequestAddressType: "com.docker.network.gateway",
      "com.docker.network.endpoint.macaddress": "02:42:0a:01:00:02",
    };
    const nothing = { address: undefined, type: undefined, macAddress: undefined, options: {} };
    expect(asked).toEqual([
      request,
      ["p", { ...address, options }],
      ["p", nothing],
      ["q", nothing],
      ["p", "10.1.0.2"],
      "p",
      "close",
    ]);
  });

  it.each(["10.1.0.2", "10.1.0.2/33", "fd00::/129", "x/8", "", "10.1.0.0/", "10.1/16"])(
    "does not answer what is no address with the length of its prefix: %j",
    async (text) => {
      const wrong = createMemoryIpam({
        requestPool: async () => ({ id: "p", pool: text }),
        requestAddress: async () => ({ address: text }),
      });
      const { remote } = await connect(wrong.driver);
      const code = { code: "INTERNAL" };
      await expect(remote.requestPool({ addressSpace: "here" })).rejects.toMatchObject(code);
      await expect(remote.requestAddress("p")).rejects.toMatchObject(code);
    },
  );

  it("is asked for no pool by an empty body, which is what Docker sends after a lost answer", async () => {
    const { driver, asked } = createMemoryIpam();
    const handle = createHandler([createIpamDriverPlugin({ driver }).service]);
    for (const method of ["RequestPool", "ReleasePool", "RequestAddress", "ReleaseAddress"]) {
      const signal = new AbortController().signal;
      const { status } = await handle({ path: `/IpamDriver.${method}`, query: {}, body: Buffer.alloc(0), signal });
      expect(status).toBe(400);
    }
    expect(asked).toEqual([]);
  });
});

describe("a plugin that Cleat did not write", () => {
  const answering = (status: number, body: string) => {
    const send = async () => ({ status, body: Buffer.from(body) });
    const transport: Transport = { address: "test:", send, close: async () => {} };
    return createRemoteIpamDriver(createClient(ipamDriverProtocol, transport, { plugin: "old" }), { name: "old" });
  };

  it.each([
    [200, '{"Error":"no such pool"}', "no such pool"],
    [500, '{"Err":"no such pool"}', "no such pool"],
    [500, "no such pool\n", "no such pool"],
  ])("fails with what it says, %i %s", async (status, body, message) => {
    const failure = { code: "UNKNOWN", remoteMessage: message, method: "/IpamDriver.ReleasePool" };
    await expect(answering(status, body).releasePool("p")).rejects.toMatchObject(failure);
  });

  it("has no capabilities where it does not know them", async () => {
    const driver = answering(404, "404 page not found\n");
    expect(await driver.capabilities()).toEqual({ requiresMacAddress: false, requiresRequestReplay: false });
  });

  it.each(['{"PoolID":"p","Pool":"10.1.0.0"}', '{"PoolID":"p","Pool":""}', '{"Pool":"10.1.0.0/16"}'])(
    "loses data where it answers no pool: %s",
    async (body) => {
      const request = answering(200, body).requestPool({ addressSpace: "here" });
      await expect(request).rejects.toMatchObject({ code: "DATA_LOSS" });
    },
  );
});
