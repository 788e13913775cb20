import { CleatError, quoteText, toCleatError } from "../../errors/index.ts";
import { createGrpcChannel, createGrpcClient, type GrpcClient, type MessageOut } from "../../grpc/index.ts";
import { controllerService } from "../services/controller-service.ts";
import { identityService } from "../services/identity-service.ts";
import { nodeService } from "../services/node-service.ts";

/** A CSI plugin, and what it says of itself. */
export interface CsiPeer {
  readonly controller: GrpcClient<typeof controllerService>;
  readonly node: GrpcClient<typeof nodeService>;
  /**
   * Asked once for a connection: a plugin that was started anew may be another version, on another node. A controller
   * that is gone has said what it said: what the node does alone waits for no controller.
   */
  facts(signal: AbortSignal): Promise<CsiFacts>;
  close(): Promise<void>;
}

export interface CsiFacts {
  readonly name: string;
  readonly plugin: ReadonlySet<string>;
  readonly controller: ReadonlySet<string>;
  readonly node: ReadonlySet<string>;
  /** Whether a volume may be published while it is given another size; "UNKNOWN" where the plugin does not say. */
  readonly expansion: "ONLINE" | "OFFLINE" | "UNKNOWN";
  readonly info: MessageOut<(typeof nodeService)["methods"]["nodeGetInfo"]["response"]>;
}

export interface CsiPeerOptions {
  /** Absolute path of the plugin's socket. */
  readonly unix: string;
  /** Of its controller, where that is another process. */
  readonly controllerUnix?: string;
}

export function createCsiPeer({ unix, controllerUnix = unix }: CsiPeerOptions): CsiPeer {
  const channel = createGrpcChannel({ unix });
  const controllerChannel = controllerUnix === unix ? channel : createGrpcChannel({ unix: controllerUnix });
  const identity = createGrpcClient(identityService, channel);
  const controller = createGrpcClient(controllerService, controllerChannel);
  const node = createGrpcClient(nodeService, channel);
  let known: { readonly sessions: readonly unknown[]; readonly facts: CsiFacts } | undefined;
  const ask = async (signal: AbortSignal): Promise<CsiFacts> => {
    const [{ name }, plugin, controllerSide, nodeSide, info] = await Promise.all([
      identity.getPluginInfo({}, { signal }),
      identity.getPluginCapabilities({}, { signal }),
      controller.controllerGetCapabilities({}, { signal }),
      node.nodeGetCapabilities({}, { signal }),
      node.nodeGetInfo({}, { signal }).catch(unlessUnimplemented),
    ]);
    return {
      name,
      plugin: new Set(plugin.capabilities.map(({ service }) => service?.type ?? "UNKNOWN")),
      controller: new Set(controllerSide.capabilities.map(({ rpc }) => rpc?.type ?? "UNKNOWN")),
      node: new Set(nodeSide.capabilities.map(({ rpc }) => rpc?.type ?? "UNKNOWN")),
      expansion: plugin.capabilities.find((one) => one.volume_expansion)?.volume_expansion?.type ?? "UNKNOWN",
      info,
    };
  };
  return {
    controller,
    node,
    async facts(signal) {
      const controllerSession = controllerChannel.session().catch((error: unknown) => {
        if (known === undefined) throw error;
        return known.sessions[1];
      });
      const sessions = await Promise.all([channel.session(), controllerSession]);
      if (known?.sessions.every((session, index) => session === sessions[index]) === true) return known.facts;
      const facts = await ask(signal);
      known = { sessions, facts };
      return facts;
    },
    async close() {
      await Promise.all([channel.close(), controllerChannel.close()]);
    },
  };
}

/**
 * Source: container-storage-interface/spec v1.9.0 `spec.md`, NodeGetInfo: only who publishes by its controller needs
 * it.
 */
function unlessUnimplemented(error: unknown): CsiFacts["info"] {
  if (toCleatError(error).code !== "UNIMPLEMENTED") throw error;
  return { node_id: "", max_volumes_per_node: 0n, accessible_topology: undefined };
}

/** @throws UNIMPLEMENTED when the plugin's controller does not do that. */
export function assertController({ name, controller }: CsiFacts, ability: string, what: string): void {
  if (controller.has(ability)) return;
  throw new CleatError("UNIMPLEMENTED", `CSI plugin ${quoteText(name)} does not ${what}`);
}
