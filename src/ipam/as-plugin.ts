import { ipamDriverProtocol } from "../protocol/index.ts";
import { answerOf, assertMethods, implement, type Service, toCallOptions } from "../transport/index.ts";
import type { IpamDriver } from "./driver.ts";
import { assertCidr, fromWireAddressRequest, fromWirePoolRequest } from "./wire-shapes.ts";

export interface IpamDriverPluginOptions {
  readonly driver: IpamDriver;
}

/** An IPAM driver, ready for `serve`. */
export interface IpamDriverPlugin {
  readonly service: Service;
  /** Closes the driver. Pools and addresses stay: this process ends, the engine may go on. May be called twice. */
  close(): Promise<void>;
}

/**
 * Serves any IPAM driver over Docker's protocol. Calls run side by side, also those about one pool: a driver that
 * chooses does so one by one. A pool or an address that the driver answers without the length of its prefix is
 * INTERNAL.
 *
 * @throws INVALID_ARGUMENT when `driver` lacks a method.
 */
export function createIpamDriverPlugin(options: IpamDriverPluginOptions): IpamDriverPlugin {
  assertMethods((options as Partial<typeof options> | undefined)?.driver, methods, "createIpamDriverPlugin: driver");
  const { driver } = options;
  const subject = `IPAM driver "${driver.name}"`;
  const service = implement(ipamDriverProtocol, {
    getCapabilities: async (_, call) => {
      const { requiresMacAddress = false, requiresRequestReplay = false } = await answerOf(
        driver.capabilities(toCallOptions(call)),
        subject,
        "capabilities",
      );
      return { RequiresMACAddress: requiresMacAddress, RequiresRequestReplay: requiresRequestReplay };
    },
    getDefaultAddressSpaces: async (_, call) => {
      const { local, global } = await answerOf(
        driver.defaultAddressSpaces(toCallOptions(call)),
        subject,
        "defaultAddressSpaces",
      );
      return { LocalDefaultAddressSpace: local, GlobalDefaultAddressSpace: global };
    },
    requestPool: async (request, call) => {
      const { id, pool, data } = await answerOf(
        driver.requestPool(fromWirePoolRequest(request), toCallOptions(call)),
        subject,
        "requestPool",
      );
      assertCidr(pool, `pool of driver "${driver.name}"`, "INTERNAL");
      return { PoolID: id, Pool: pool, Data: { ...data } };
    },
    releasePool: async ({ PoolID }, call) => done(driver.releasePool(PoolID, toCallOptions(call))),
    requestAddress: async (request, call) => {
      const asked = driver.requestAddress(request.PoolID, fromWireAddressRequest(request), toCallOptions(call));
      const given = await answerOf(asked, subject, "requestAddress");
      assertCidr(given.address, `address of driver "${driver.name}"`, "INTERNAL");
      return { Address: given.address, Data: { ...given.data } };
    },
    releaseAddress: async ({ PoolID, Address }, call) =>
      done(driver.releaseAddress(PoolID, Address, toCallOptions(call))),
  });
  return { service, close: () => driver.close() };
}

const methods: readonly Exclude<keyof IpamDriver, "name">[] = [
  "capabilities",
  "defaultAddressSpaces",
  "requestPool",
  "releasePool",
  "requestAddress",
  "releaseAddress",
  "close",
];

async function done(step: Promise<void>): Promise<Record<string, never>> {
  await step;
  return {};
}
