import { CleatError, quoteText } from "../../errors/index.ts";
import type { ImplementedService } from "../../grpc/index.ts";
import { type Logger, silentLogger } from "../../transport/index.ts";
import { createTurns } from "../../volumedrivers/index.ts";
import type { CsiContext, HeldVolumes } from "./context.ts";
import { createController } from "./controller.ts";
import { createIdentity } from "./identity.ts";
import { createNode } from "./node.ts";
import { createMountPublisher } from "../showing/mount-publisher.ts";
import type { Publisher } from "../showing/publisher.ts";

export interface CsiPluginOptions {
  readonly driver: HeldVolumes;
  /** The plugin's name in the orchestrator, of domain-name form: "volumes.example.org". */
  readonly name: string;
  /** What the orchestrator is told of the plugin's version. */
  readonly version: string;
  /** Which node this is, as the orchestrator calls it: of Kubernetes the name of its node. */
  readonly nodeId: string;
  /**
   * The driver's option for a size in bytes, to which a requested capacity goes: "size". Without one, capacities are
   * not promised, and volumes have an unknown one.
   */
  readonly sizeOption?: string;
  /**
   * The driver's option for the volume that a new one is made from: "from", shown under `Options` of a volume's status.
   * Without one there are no clones and snapshots.
   */
  readonly sourceOption?: string;
  /** Shows volumes at target paths. Default: by the kernel's mounts, for which the process has to be root. */
  readonly publisher?: Publisher;
  /** Default silent. */
  readonly logger?: Logger;
}

/** A volume driver as services of the Container Storage Interface, ready for `serveGrpc`. */
export interface CsiPlugin {
  readonly services: readonly ImplementedService[];
  /** Closes the driver. Volumes and mounts stay. May be called twice. */
  close(): Promise<void>;
}

/**
 * Serves a volume driver to Kubernetes, Nomad and other orchestrators: identity, controller and node in one plugin.
 *
 * Volumes of a driver of local scope are made where they are to be used, so the plugin runs on every node with a
 * provisioner beside it (`--node-deployment` of Kubernetes' external-provisioner), and says so by its topology.
 * Parameters and secrets of a storage class become options of `create`. Nothing is staged: publishing mounts the volume
 * for the target path, which is the holder's name, and shows it there; it is safe to repeat, also by another process.
 *
 * Source: container-storage-interface/spec v1.9.0 `spec.md`.
 * @throws INVALID_ARGUMENT for a name that is not of domain-name form, or an empty node id.
 */
export async function createCsiPlugin(options: CsiPluginOptions): Promise<CsiPlugin> {
  const { driver, name: pluginName, version, nodeId, sizeOption, sourceOption, logger = silentLogger } = options;
  const { publisher = createMountPublisher() } = options;
  if (!pluginNamePattern.test(pluginName)) {
    throw new CleatError("INVALID_ARGUMENT", `plugin name ${quoteText(pluginName)} is not of domain-name form`);
  }
  if (nodeId === "") throw new CleatError("INVALID_ARGUMENT", "node id is empty");
  const { scope } = await driver.capabilities();
  const names = { pluginName, version, nodeId, sizeOption, sourceOption };
  const context: CsiContext = { driver, scope, ...names, turns: createTurns(), logger };
  return {
    services: [createIdentity(context), createController(context), createNode(context, publisher)],
    close: () => driver.close(),
  };
}

/** Source: `csi.proto`, GetPluginInfoResponse.name: at most 63 characters. */
const pluginNamePattern = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/;
