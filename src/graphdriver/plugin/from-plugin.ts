import { CleatError } from "../../errors/index.ts";
import { graphDriverProtocol } from "../../protocol/index.ts";
import { activate, assertImplements, type ClientOptions, createClient, type Transport } from "../../transport/index.ts";
import type { GraphDriver } from "../driver.ts";
import type { OpenOptions } from "../driver-factory.ts";
import { createRemoteGraphDriver, type RemoteGraphDriverOptions } from "./remote-driver.ts";
import { toWireIdMap } from "./wire-shapes.ts";

export interface FromPluginOptions extends OpenOptions, RemoteGraphDriverOptions, Omit<ClientOptions, "plugin"> {}

/**
 * The graph driver behind a transport: activates the plugin, sends `Init` (`durability` is the plugin's own affair) and
 * is then what `createRemoteGraphDriver` makes. The transport stays its maker's to close.
 *
 * @throws FAILED_PRECONDITION when what answers is not a plugin, UNIMPLEMENTED when it is not a graph driver.
 * @throws INVALID_ARGUMENT for a `door`, of which the protocol has no word.
 */
export async function createGraphDriverFromPlugin(
  transport: Transport,
  options: FromPluginOptions,
): Promise<GraphDriver> {
  const { name, door } = options;
  if (door !== undefined) {
    throw new CleatError(
      "INVALID_ARGUMENT",
      `plugin "${name}" cannot keep a ${door}'s layers: it is asked over Docker's protocol`,
    );
  }
  assertImplements(name, await activate(transport, name, options), graphDriverProtocol);
  const client = createClient(graphDriverProtocol, transport, { ...options, plugin: name });
  await client.init({
    Home: options.home,
    Opts: [...(options.options ?? [])],
    UIDMaps: (options.uidMaps ?? []).map(toWireIdMap),
    GIDMaps: (options.gidMaps ?? []).map(toWireIdMap),
  });
  return createRemoteGraphDriver(client, { name });
}
