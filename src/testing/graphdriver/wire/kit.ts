/**
 * What of a graph driver behind a socket only the wire shows: archives in pieces, broken off and empty, and the calls
 * of each Docker in their order. What the driver makes of layers is for `runGraphDriverKit`.
 */
import { tmpdir } from "node:os";
import type { Address, TlsClientOptions } from "../../../transport/index.ts";
import type { CheckResult } from "../../check.ts";
import { type KitRunOptions, runKit } from "../../protocol/driver-kit.ts";
import { createWireContext } from "../../protocol/context.ts";
import { createPluginPeer } from "../../wire/plugin-peer.ts";
import { layerWireChecks } from "./checks.ts";
import { openLayerWire } from "./context.ts";

export interface LayerWireKitOptions extends KitRunOptions {
  readonly address: Address;
  readonly tls?: TlsClientOptions | undefined;
  /** How long a call may take; default 5 s. */
  readonly callTimeoutMs?: number | undefined;
  /** Where homes are made; default the folder for temporary files. */
  readonly folder?: string | undefined;
}

/**
 * Runs the checks one after another, each with a home of its own.
 * @throws INVALID_ARGUMENT when `only` or `expectedFailures` name a check that there is not.
 */
export async function runLayerWireKit(options: LayerWireKitOptions): Promise<readonly CheckResult[]> {
  const { address, tls, callTimeoutMs = 5_000, folder = tmpdir() } = options;
  const wire = createWireContext({ peer: createPluginPeer(address, tls), callTimeoutMs, idleMs: 0 });
  return await runKit(options, layerWireChecks, () => openLayerWire(wire, folder));
}
