/**
 * The IPAM driver contract (IP address management). This file is the manual.
 *
 * An IPAM driver keeps **pools** of addresses, one for each network's subnet, and the **addresses** that were given out
 * of them. It makes nothing in the kernel: it is a ledger.
 *
 *     docker network create --ipam-driver NAME blue
 *         requestPool({ addressSpace: "local" })                    { id: "p", pool: "10.1.0.0/16" }
 *         requestAddress("p", { type: "gateway" })                  { address: "10.1.0.1/16" }
 *         (the network driver makes the network)
 *     docker run --network blue
 *         requestAddress("p")                                       { address: "10.1.0.2/16" }
 *         (the network driver makes the endpoint)
 *     the container ends
 *         releaseAddress("p", "10.1.0.2")
 *     docker network rm blue
 *         releaseAddress("p", "10.1.0.1"), releasePool("p")
 *
 * ## Words
 *
 * - **address space**: pools of one space do not overlap; those of different ones may. The driver names two, for
 *   networks of a host and of a swarm; users can name others.
 * - **pool**: a subnet in CIDR notation. Its **sub-pool** is the part of it that addresses of the driver's choice come
 *   from; an address that was asked for by name may be any of the pool.
 * - **pool id**: the driver's own word for a pool, in whatever form. Engines only hand it back.
 *
 * ## Promises
 *
 * - **What was answered is on disk.** Engines keep their own record of pools and addresses over restarts, and do not
 *   ask again, unless `requiresRequestReplay`: an address that the driver forgot would be given to a second container.
 * - An engine that gets no answer sends the call once more, without its body, which `createIpamDriverPlugin` refuses:
 *   its user sees a failure, and tries again. A pool that is asked for by name again, and of which nobody has an
 *   address, is given again. An address whose answer was lost stays given until its pool goes, so there must be nothing
 *   that can fail after an address is recorded.
 * - What is not there was released. `releasePool` takes the pool's last addresses with it.
 * - A driver never asks the engine anything.
 *
 * Every method may reject with NOT_FOUND (no such pool); further codes stand at the method. `call.signal` aborts when
 * nobody waits for the answer any more.
 *
 * Source of the semantics: moby v20.10.24 `vendor/github.com/docker/libnetwork/ipams/remote/remote.go`, v28.5.2
 * `libnetwork/docs/ipam.md`.
 */
import type { CallOptions } from "../protocol/index.ts";

export interface IpamDriver {
  /** The driver's name, as in `docker network create --ipam-driver NAME`. */
  readonly name: string;

  /** What engines ask once, when they first meet the driver. */
  capabilities(call?: CallOptions): Promise<IpamCapabilities>;

  /** The spaces for networks of a host and of a swarm, where the user names none. */
  defaultAddressSpaces(call?: CallOptions): Promise<AddressSpaces>;

  /**
   * Gives a pool: the one asked for, or one of the driver's choice. Engines refuse a choice that overlaps another
   * network of theirs, and ask on until there is one that does not: each choice must be another than those before. What
   * they refused they release after.
   *
   * @throws INVALID_ARGUMENT for a pool that is none, and for an option that the driver does not know.
   * @throws RESOURCE_EXHAUSTED when there is none to choose.
   * @throws ALREADY_EXISTS for one that overlaps another of its space, or is in use itself.
   */
  requestPool(request: PoolRequest, call?: CallOptions): Promise<Pool>;

  /** Takes the pool back. One that is not there was released. */
  releasePool(poolId: string, call?: CallOptions): Promise<void>;

  /**
   * Gives an address of the pool: the one asked for, or one of the driver's choice.
   * @throws ALREADY_EXISTS for one that somebody has, INVALID_ARGUMENT for one that is not of the pool.
   * @throws RESOURCE_EXHAUSTED when all are given.
   */
  requestAddress(poolId: string, request?: AddressRequest, call?: CallOptions): Promise<Address>;

  /** Takes an address back, "10.1.0.2". One that nobody has was released. */
  releaseAddress(poolId: string, address: string, call?: CallOptions): Promise<void>;

  /** This process ends: gives back what it holds of it. Pools and addresses stay. May be called twice. */
  close(): Promise<void>;
}

export interface IpamCapabilities {
  /** Requests for endpoints' addresses are to have their `macAddress`. Default false. */
  readonly requiresMacAddress?: boolean | undefined;
  /**
   * For a driver that keeps nothing: when it starts, the engine asks once more for the pools and addresses that it has,
   * by name. A driver that still has them must not refuse. Default false.
   */
  readonly requiresRequestReplay?: boolean | undefined;
}

export interface AddressSpaces {
  readonly local: string;
  readonly global: string;
}

export interface PoolRequest {
  readonly addressSpace: string;
  /** "10.1.0.0/16"; without one the driver chooses. */
  readonly pool?: string | undefined;
  /** "10.1.2.0/24", of `pool`. */
  readonly subPool?: string | undefined;
  /** What the user gave with `--ipam-opt`, unchecked. */
  readonly options?: Readonly<Record<string, string>> | undefined;
  /** Whether a pool of the driver's choice is to be one of IPv6. Default false. */
  readonly v6?: boolean | undefined;
}

export interface Pool {
  readonly id: string;
  /** "10.1.0.0/16" */
  readonly pool: string;
  /** For the network driver, by Docker's names: `com.docker.network.gateway` chooses the gateway's address. */
  readonly data?: Readonly<Record<string, string>> | undefined;
}

export interface AddressRequest {
  /** "10.1.0.2"; without one the driver chooses. */
  readonly address?: string | undefined;
  /** Whose it will be: the network's gateway, or an endpoint, of which nothing is said. */
  readonly type?: "gateway" | undefined;
  /** The endpoint's, where `requiresMacAddress`. */
  readonly macAddress?: string | undefined;
  /** All options of the request, under Docker's own names. */
  readonly options?: Readonly<Record<string, string>> | undefined;
}

export interface Address {
  /** With the prefix of the pool: "10.1.0.2/16". */
  readonly address: string;
  readonly data?: Readonly<Record<string, string>> | undefined;
}
