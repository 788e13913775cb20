import { randomBytes } from "node:crypto";
import type { ErrorCode } from "../../errors/index.ts";
import type { JoinedEndpoint, NetworkDriver, NewEndpoint, NewNetwork } from "../../network/index.ts";
import type { Check } from "../check.ts";
import { type AddressRange, formatAddress, formatRange, partOf } from "../ipam/address-range.ts";
import type { WireContext } from "../protocol/context.ts";
import { assertRefused, type Refusals } from "../refusals.ts";

/** What a check of network drivers is given: a driver, and what it may do with it. */
export interface NetworkContext extends AsyncDisposable {
  readonly driver: NetworkDriver;
  /** The same driver as engines send to it; `undefined` where it is in this process. */
  readonly wire: WireContext | undefined;
  /** What networks are made with (`docker network create --opt`). */
  readonly options: Readonly<Record<string, string>>;
  /** Whether there is a link of that name; `undefined` where links cannot be seen from here. */
  readonly hasLink: ((name: string) => Promise<boolean>) | undefined;
  /** Ends the driver's process by SIGKILL and starts another; `undefined` where nobody can. */
  readonly killAndRestart: (() => Promise<void>) | undefined;
  /** An id as Docker makes them. */
  newId(): string;
  /** The `at`-th network's pool and gateway, in CIDR notation. */
  poolAt(at: number): { readonly pool: string; readonly gateway: string };
  /** Makes a network, with the `at`-th pool; it is deleted after the check. */
  createNetwork(at?: number, more?: NewNetwork): Promise<string>;
  /** Makes an endpoint, with the `at`-th address of the first pool; it is deleted after the check. */
  createEndpoint(network: string, at?: number, more?: NewEndpoint): Promise<string>;
  /** A container takes the endpoint; it leaves after the check. */
  join(network: string, endpoint: string): Promise<JoinedEndpoint>;
  leave(network: string, endpoint: string): Promise<void>;
  deleteEndpoint(network: string, endpoint: string): Promise<void>;
  deleteNetwork(network: string): Promise<void>;
  /** What is made otherwise, so that it is deleted after the check. */
  keepNetwork(network: string): void;
  keepEndpoint(network: string, endpoint: string): void;
  /** Fails unless the call is answered with a failure of one of the codes, in one line that names the subject. */
  refused(call: Promise<unknown>, codes: ErrorCode | readonly ErrorCode[], subject: string): Promise<void>;
}

/** One promise of the contract of network drivers, or one thing that engines do. */
export type NetworkCheck = Check<NetworkContext>;

export interface NetworkContextOptions extends Pick<
  NetworkContext,
  "driver" | "wire" | "options" | "hasLink" | "killAndRestart"
> {
  readonly refusals: Refusals;
  /** What the networks' pools are parts of. */
  readonly ranges: AddressRange;
}

/** What Docker sends as path of a container's network. */
export const sandboxOf = (endpoint: string): string => `/var/run/docker/netns/${endpoint.slice(0, 12)}`;

export function createNetworkContext({ ranges, refusals, ...given }: NetworkContextOptions): NetworkContext {
  const { driver, options } = given;
  const networks = new Set<string>();
  /** The network of each. */
  const endpoints = new Map<string, string>();
  const poolAt: NetworkContext["poolAt"] = (at) => {
    const range = partOf(ranges, 24, at);
    return { pool: formatRange(range), gateway: `${formatAddress(range.first + 1)}/24` };
  };
  const newId = () => randomBytes(32).toString("hex");
  return {
    ...given,
    newId,
    poolAt,
    async createNetwork(at = 0, more = {}) {
      const network = newId();
      networks.add(network);
      await driver.createNetwork(network, { options, ipv4: [{ addressSpace: "local", ...poolAt(at) }], ...more });
      return network;
    },
    async createEndpoint(network, at = 0, more = {}) {
      const endpoint = newId();
      endpoints.set(endpoint, network);
      const address = `${formatAddress(ranges.first + 2 + at)}/24`;
      await driver.createEndpoint(network, endpoint, { address, ...more });
      return endpoint;
    },
    join: (network, endpoint) => driver.join(network, endpoint, { sandboxKey: sandboxOf(endpoint) }),
    leave: (network, endpoint) => driver.leave(network, endpoint),
    async deleteEndpoint(network, endpoint) {
      await driver.deleteEndpoint(network, endpoint);
      endpoints.delete(endpoint);
    },
    async deleteNetwork(network) {
      await driver.deleteNetwork(network);
      networks.delete(network);
      for (const [endpoint, owner] of endpoints) if (owner === network) endpoints.delete(endpoint);
    },
    keepNetwork: (network) => void networks.add(network),
    keepEndpoint: (network, endpoint) => void endpoints.set(endpoint, network),
    refused: (call, codes, subject) => assertRefused(call, codes, subject, refusals),
    async [Symbol.asyncDispose]() {
      // What a check left half done may be refused; what counts is that the network goes.
      for (const [endpoint, network] of endpoints) {
        await driver.leave(network, endpoint).catch(() => {});
        await driver.deleteEndpoint(network, endpoint).catch(() => {});
      }
      const errors: unknown[] = [];
      for (const network of networks) {
        await driver.deleteNetwork(network).catch((error: unknown) => void errors.push(error));
      }
      if (errors.length > 0) throw new AggregateError(errors, `cannot be deleted: ${String(errors[0])}`);
    },
  };
}
