import { hostname } from "node:os";
import { createCsiPlugin } from "../../../csi/index.ts";
import { assertAddressFree, type Logger } from "../../../plugin/index.ts";
import type { CommandContext, CommandOptions } from "../../terminal/command.ts";
import { readVersion } from "../../terminal/version.ts";
import { readSocketOptions, type SocketValues, socketOptions } from "../options/listen-options.ts";
import type { Door } from "./door.ts";
import { serveGrpcDoor } from "./serve-grpc-door.ts";
import { describeTypes, openManaged } from "./volume-door.ts";

export const csiOptions = {
  name: { type: "string", value: "NAME", help: "of the driver's folder; default csi" },
  root: {
    type: "string",
    value: "PATH",
    help: "keep volumes and what is known of them here; default /var/lib/cleat/volumes/NAME",
  },
  "plugin-name": {
    type: "string",
    value: "NAME",
    help: "what orchestrators call the plugin, of domain-name form; default volumes.cleat",
  },
  "node-id": { type: "string", value: "ID", help: "what orchestrators call this node; default the host's name" },
  ...socketOptions("default /run/cleat/csi.sock"),
} as const satisfies CommandOptions;

export interface CsiValues extends SocketValues {
  readonly name?: string | undefined;
  readonly root?: string | undefined;
  readonly "plugin-name"?: string | undefined;
  readonly "node-id"?: string | undefined;
}

/** Serves volumes to orchestrators. @throws what is wrong with options, address or records. */
export async function openCsiDoor(values: CsiValues, context: CommandContext, logger: Logger): Promise<Door> {
  const { name = "csi", root: wished } = values;
  const pluginName = values["plugin-name"] ?? "volumes.cleat";
  const nodeId = values["node-id"] ?? hostname();
  const listen = await readSocketOptions(values, async () => "/run/cleat/csi.sock");
  await assertAddressFree(listen);
  const { managed, root } = await openManaged({ name, root: wished }, context, logger);
  try {
    const version = readVersion();
    const plugin = await createCsiPlugin({
      driver: managed,
      name: pluginName,
      version,
      nodeId,
      sizeOption: "size",
      sourceOption: "from",
      logger,
    });
    const { services, close } = plugin;
    const server = await serveGrpcDoor({ services, listen, close, logger });
    return {
      lines: [
        `Cleat serves the CSI plugin "${pluginName}" at ${server.address}`,
        `  types   ${describeTypes()}`,
        `  volumes ${root}`,
        `  node    ${nodeId}`,
      ],
      fields: { door: "csi", name: pluginName, address: server.address, root, nodeId },
      close: server.close,
    };
  } catch (error) {
    await managed.close();
    throw error;
  }
}
