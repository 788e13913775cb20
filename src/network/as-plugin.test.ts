/** Both ends together, and what engines see of ours. */
import { describe, expect, it } from "vitest";
import { CleatError, RemoteError } from "../errors/index.ts";
import { createNetworkDriverPlugin, type NetworkDriver } from "./index.ts";
import { connect, createMemoryNetworks } from "./memory-networks.test.support.ts";

describe("a driver behind the protocol", () => {
  it("is a driver: every call arrives and comes back in the contract's shape", async () => {
    const { driver, asked } = createMemoryNetworks();
    const { remote } = await connect(driver);
    expect(await remote.capabilities()).toEqual({ scope: "local", connectivityScope: "global" });
    const pool = {
      addressSpace: "local",
      pool: "10.1.0.0/16",
      gateway: "10.1.0.1/16",
      auxAddresses: { a: "10.1.0.5/16" },
    };
    const network = { options: { mtu: "9000" }, engineOptions: { "com.docker.network.enable_ipv6": false } };
    await remote.createNetwork("n", { ...network, ipv4: [pool] });
    const given = { address: "10.1.0.2/16", engineOptions: { "com.docker.network.portmap": [] } };
    expect(await remote.createEndpoint("n", "e", given)).toEqual({ macAddress: "02:00:00:00:00:01" });
    expect(await remote.endpointInfo("n", "e")).toEqual({ link: "v1", up: true });
    expect(await remote.join("n", "e", { sandboxKey: "/run/netns/1" })).toEqual({
      interface: { source: "v1", prefix: "eth" },
      gateway: "10.1.0.1",
      routes: [{ destination: "10.3.0.0/16", nextHop: "10.1.0.9" }, { destination: "10.4.0.0/16" }],
      disableGatewayService: false,
    });
    await remote.leave("n", "e");
    await remote.deleteEndpoint("n", "e");
    await remote.deleteNetwork("n");
    await expect(remote.createEndpoint("n", "e", {})).rejects.toMatchObject({ code: "NOT_FOUND" });
    await remote.close();
    expect(asked.slice(0, 5)).toEqual([
      ["createNetwork", "n", { ...network, ipv4: [pool], ipv6: [] }],
      ["createEndpoint", "n", "e", given],
      ["join", "e", { sandboxKey: "/run/netns/1", engineOptions: {} }],
      ["leave", "n", "e"],
      ["deleteEndpoint", "n", "e"],
    ]);
  });

  it("may have more, which comes through too", async () => {
    const { driver, asked, log } = createMemoryNetworks();
    const more: Partial<NetworkDriver> = {
      programExternalConnectivity: async (_n, id, options) => log("program", id, options),
      revokeExternalConnectivity: async (_n, id) => log("revoke", id),
      skipsGateway: async ({ options }) => ({ ipv4: options?.["routed"] === "yes", ipv6: false }),
      allocateNetwork: async (_id, { options }) => ({ ...options, vni: "7" }),
      freeNetwork: async (id) => log("free", id),
      discoverNode: async (node) => log("discover", node),
      forgetNode: async (node) => log("forget", node),
    };
    const { remote, client } = await connect({ ...driver, ...more });
    await remote.programExternalConnectivity("n", "e", { "com.docker.network.portmap": [{ Port: 80 }] });
    await remote.revokeExternalConnectivity("n", "e");
    expect(await remote.skipsGateway({ options: { routed: "yes" } })).toEqual({ ipv4: true, ipv6: false });
    expect(await remote.allocateNetwork("n", { options: { a: "b" } })).toEqual({ a: "b", vni: "7" });
    await remote.freeNetwork("n");
    const node = { address: "10.0.0.1", bindAddress: "10.0.0.2", self: true };
    await remote.discoverNode(node);
    await remote.forgetNode({ address: "10.0.0.3", self: false });
    await client.discoverNew({ DiscoveryType: 2, DiscoveryData: {} }); // of no node
    expect(asked).toEqual([
      ["program", "e", { "com.docker.network.portmap": [{ Port: 80 }] }],
      ["revoke", "e"],
      ["free", "n"],
      ["discover", node],
      ["forget", { address: "10.0.0.3", self: false }],
    ]);
  });

  it("may lack it, as engines allow", async () => {
    const { remote, client } = await connect(createMemoryNetworks().driver);
    await remote.programExternalConnectivity("n", "e", {});
    await remote.revokeExternalConnectivity("n", "e");
    await remote.discoverNode({ address: "10.0.0.1", self: true });
    expect(await remote.skipsGateway({ options: {} })).toEqual({ ipv4: false, ipv6: false });
    await expect(remote.allocateNetwork("n", {})).rejects.toMatchObject({ code: "UNIMPLEMENTED" });
    await expect(client.gwAllocCheck({ Options: {} })).rejects.toMatchObject({ code: "UNIMPLEMENTED" });
  });

  it("hears it when its caller gives up", async () => {
    const giveUp = new AbortController();
    let stop: (value: string) => void;
    const stopped = new Promise<string>((resolve) => (stop = resolve));
    const deleteNetwork: NetworkDriver["deleteNetwork"] = (_id, call) =>
      new Promise((_, reject) => {
        call?.signal?.addEventListener(
          "abort",
          () => (stop("stopped"), reject(new CleatError("CANCELLED", "stopped"))),
        );
        giveUp.abort();
      });
    const { remote } = await connect(createMemoryNetworks({ deleteNetwork }).driver);
    await expect(remote.deleteNetwork("n", { signal: giveUp.signal })).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await stopped).toBe("stopped");
  });

  it("is closed with the plugin, and refused where it is none", async () => {
    const { driver, asked } = createMemoryNetworks();
    const { plugin } = await connect(driver);
    await plugin.close();
    expect(asked).toEqual([["close"]]);
    const { join: _, leave: __, ...less } = driver;
    expect(() => createNetworkDriverPlugin({ driver: less as NetworkDriver })).toThrow("lacks the methods join, leave");
  });
});

describe("what goes over the wire", () => {
  it("is what Go reads, with nothing that the engine has decided", async () => {
    const { send, remote } = await connect(createMemoryNetworks().driver);
    await remote.createNetwork("n", {});
    const Interface = { Address: "10.1.0.2/16", AddressIPv6: "", MacAddress: "" };
    expect(await send("CreateEndpoint", { NetworkID: "n", EndpointID: "e", Interface, Options: null })).toEqual({
      status: 200,
      answer: { Interface: { Address: "", AddressIPv6: "", MacAddress: "02:00:00:00:00:01" } },
    });
    expect(await send("Join", { NetworkID: "n", EndpointID: "e", SandboxKey: "/run/netns/1", Options: {} })).toEqual({
      status: 200,
      answer: {
        InterfaceName: { SrcName: "v1", DstPrefix: "eth" },
        Gateway: "10.1.0.1",
        GatewayIPv6: "",
        StaticRoutes: [
          { Destination: "10.3.0.0/16", RouteType: 0, NextHop: "10.1.0.9" },
          { Destination: "10.4.0.0/16", RouteType: 1, NextHop: "" },
        ],
        DisableGatewayService: false,
      },
    });
    expect((await send("GetCapabilities", {})).answer).toMatchObject({ Scope: "local", GwAllocChecker: false });
  });

  it("reaches no driver without an id, as Docker calls after a lost answer, or with one that is a path", async () => {
    const { driver, asked } = createMemoryNetworks();
    const { send } = await connect(driver);
    for (const body of [
      {},
      { NetworkID: "n" },
      { NetworkID: "../n", EndpointID: "e" },
      { NetworkID: "n", EndpointID: "-e" },
    ])
      for (const method of ["CreateEndpoint", "DeleteEndpoint", "Join", "Leave"]) {
        const { status, answer } = await send(method, body);
        expect(status).toBeGreaterThanOrEqual(400);
        expect(answer["Code"]).toBe("INVALID_ARGUMENT");
      }
    expect(asked).toEqual([]);
  });

  it("refuses options of a user that are no texts, naming the option and not its value", async () => {
    const { send } = await connect(createMemoryNetworks().driver);
    const Options = { "com.docker.network.generic": { key: { secret: 1 } } };
    const { answer } = await send("CreateNetwork", { NetworkID: "n", Options });
    expect(answer).toEqual({
      Code: "INVALID_ARGUMENT",
      Err: 'options of the network: the value of option "key" is no text',
    });
  });
});

it("takes a plugin of no known scope for none, as Docker does", async () => {
  const scope = "galaxy" as "local";
  const { remote } = await connect(createMemoryNetworks({ capabilities: async () => ({ scope }) }).driver);
  const failure = await remote.capabilities().catch((error: unknown) => error);
  expect(failure).not.toBeInstanceOf(RemoteError);
  expect(failure).toMatchObject({
    code: "DATA_LOSS",
    message: expect.stringContaining('"galaxy" is not local or global'),
  });
});
