import { CleatError, type ErrorCode } from "../../errors/index.ts";
import type { AddressRequest, IpamDriver, Pool, PoolRequest } from "../../ipam/index.ts";
import type { Check } from "../check.ts";
import type { WireContext } from "../protocol/context.ts";
import { assertRefused, type Refusals } from "../refusals.ts";
import { type AddressRange, formatRange, partOf } from "./address-range.ts";

/** What a check of IPAM drivers is given: a driver, and what it may do with it. */
export interface IpamContext extends AsyncDisposable {
  readonly driver: IpamDriver;
  /** The same driver as engines send to it; `undefined` where it is in this process. */
  readonly wire: WireContext | undefined;
  /** What pools are asked for with (`--ipam-opt`). */
  readonly options: Readonly<Record<string, string>>;
  /** Ends the driver's process by SIGKILL and starts another; `undefined` where nobody can. */
  readonly killAndRestart: (() => Promise<void>) | undefined;
  /** The address space in which checks ask. */
  readonly space: string;
  /** A range that may be asked for by name, "198.18.3.0/24": the `at`-th of that length. */
  range(length: number, at?: number): string;
  /** Asks for a pool, by name or of the driver's choice; it is released after the check. */
  requestPool(request?: Partial<PoolRequest>): Promise<Pool>;
  /** Asks for an address, "10.1.0.2/16"; it is released after the check. */
  requestAddress(poolId: string, request?: AddressRequest): Promise<string>;
  /** What was released is not released again after the check. */
  releaseAddress(poolId: string, address: string): Promise<void>;
  releasePool(poolId: string): Promise<void>;
  /** What a pool that was asked for otherwise is called, so that it is released after the check; and is no more. */
  keepPool(poolId: string): void;
  forgetPool(poolId: string): void;
  /** Fails unless the call is answered with a failure of one of the codes, in one line that names the subject. */
  refused(call: Promise<unknown>, codes: ErrorCode | readonly ErrorCode[], subject: string): Promise<void>;
}

/** One promise of the contract of IPAM drivers, or one thing that engines do. */
export type IpamCheck = Check<IpamContext>;

export interface IpamContextOptions extends Pick<
  IpamContext,
  "driver" | "wire" | "options" | "killAndRestart" | "space"
> {
  readonly refusals: Refusals;
  /** What ranges that are asked for by name are parts of. */
  readonly ranges: AddressRange;
}

export function createIpamContext({ ranges, refusals, ...given }: IpamContextOptions): IpamContext {
  const { driver, options, space } = given;
  const pools = new Set<string>();
  const addresses: [poolId: string, address: string][] = [];
  return {
    ...given,
    range: (length, at = 0) => formatRange(partOf(ranges, length, at)),
    async requestPool(request = {}) {
      const pool = await driver.requestPool({ addressSpace: space, options, ...request });
      pools.add(pool.id);
      return pool;
    },
    async requestAddress(poolId, request) {
      const { address } = await driver.requestAddress(poolId, request);
      addresses.push([poolId, withoutPrefix(address)]);
      return address;
    },
    async releaseAddress(poolId, address) {
      await driver.releaseAddress(poolId, address);
      const at = addresses.findIndex(([pool, one]) => pool === poolId && one === address);
      if (at >= 0) addresses.splice(at, 1);
    },
    async releasePool(poolId) {
      await driver.releasePool(poolId);
      pools.delete(poolId);
    },
    keepPool: (poolId) => void pools.add(poolId),
    forgetPool: (poolId) => void pools.delete(poolId),
    refused: (call, codes, subject) => assertRefused(call, codes, subject, refusals),
    async [Symbol.asyncDispose]() {
      const errors: unknown[] = [];
      const attempt = (step: Promise<void>) => step.catch((error: unknown) => void errors.push(error));
      for (const [pool, address] of addresses) {
        if (pools.has(pool)) await attempt(driver.releaseAddress(pool, address));
      }
      for (const pool of pools) await attempt(driver.releasePool(pool));
      if (errors.length > 0) throw new AggregateError(errors, `cannot be released: ${String(errors[0])}`);
    },
  };
}

/** "10.1.0.2" of "10.1.0.2/16", as engines release it. */
export function withoutPrefix(address: string): string {
  const [plain = ""] = address.split("/");
  if (plain === "" || plain === address) throw new CleatError("DATA_LOSS", `address "${address}" has no prefix`);
  return plain;
}
