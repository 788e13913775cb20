/**
 * The places where the contract's shapes and those of Docker's protocol differ, both ways. Go leaves nothing out: "".
 */
import { isIP } from "node:net";
import type { z } from "zod";
import { CleatError, quoteText } from "../errors/index.ts";
import type { ipamDriverProtocol } from "../protocol/index.ts";
import type { AddressRequest, PoolRequest } from "./driver.ts";

type Methods = (typeof ipamDriverProtocol)["methods"];
type WirePoolRequest = z.output<Methods["requestPool"]["request"]>;
type WireAddressRequest = z.output<Methods["requestAddress"]["request"]>;

/** Source: moby v20.10.24 `vendor/github.com/docker/libnetwork/ipamapi/contract.go` and `netlabel/labels.go`. */
const labels = {
  type: "RequestAddressType",
  gateway: "com.docker.network.gateway",
  macAddress: "com.docker.network.endpoint.macaddress",
} as const;

export function fromWirePoolRequest({ AddressSpace, Pool, SubPool, Options, V6 }: WirePoolRequest): PoolRequest {
  return {
    addressSpace: AddressSpace,
    pool: Pool || undefined,
    subPool: SubPool || undefined,
    options: Options,
    v6: V6,
  };
}

export function toWirePoolRequest(request: PoolRequest): WirePoolRequest {
  const { addressSpace, pool = "", subPool = "", options, v6 = false } = request;
  return { AddressSpace: addressSpace, Pool: pool, SubPool: subPool, Options: { ...options }, V6: v6 };
}

export function fromWireAddressRequest({ Address, Options }: WireAddressRequest): AddressRequest {
  return {
    address: Address || undefined,
    type: Options[labels.type] === labels.gateway ? "gateway" : undefined,
    macAddress: Options[labels.macAddress],
    options: Options,
  };
}

export function toWireAddressRequest(poolId: string, request: AddressRequest): WireAddressRequest {
  const { address = "", type, macAddress, options } = request;
  const own = {
    ...(type === "gateway" && { [labels.type]: labels.gateway }),
    ...(macAddress !== undefined && { [labels.macAddress]: macAddress }),
  };
  return { PoolID: poolId, Address: address, Options: { ...options, ...own } };
}

/** @throws `code` when `text` is not of the form "10.1.0.0/16"; `subject` begins the message. */
export function assertCidr(text: string, subject: string, code: "INTERNAL" | "DATA_LOSS"): void {
  const [, address = "", length = ""] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text) ?? [];
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] as number;
  if (length !== "" && Number(length) <= bits) return;
  throw new CleatError(code, `${subject} ${quoteText(text)} is not an address and a length of prefix, "10.1.0.2/16"`);
}
