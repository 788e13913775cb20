import { CleatError } from "../../errors/index.ts";
import { graphDriverProtocol } from "../../protocol/index.ts";
import { activate, assertImplements, type ClientOptions, createClient, type Transport } from "../../transport/index.ts";
import { checkedSource } from "../checked-source.ts";
import type { GraphDriver, OpenOptions } from "../driver.ts";
import { assertLayerId } from "../layer-id.ts";

import { fromWireCapabilities, fromWireChange, toWireIdMap } from "./wire-shapes.ts";

export interface FromPluginOptions extends OpenOptions, Omit<ClientOptions, "plugin"> {
  /** The plugin's name, for errors and as the driver's name. */
  readonly name: string;
}

/**
 * A graph driver behind a transport: activates the plugin, sends `Init` (`durability` is the plugin's own affair) and
 * is then a driver like any other. What the plugin answers as failure is a `RemoteError`, with its code where the
 * plugin is Cleat's. After `cleanup` a plugin waits for the next `Init`, so this object is of no more use. `close`
 * sends nothing, and the transport stays its maker's to close. `remove` has no way to refuse a layer on which others lie: the
 * protocol leaves that to the engine.
 *
 * @throws FAILED_PRECONDITION when what answers is no plugin, UNIMPLEMENTED when it is no graph driver.
 */
export async function createGraphDriverFromPlugin(
  transport: Transport,
  options: FromPluginOptions,
): Promise<GraphDriver> {
  const clientOptions = { ...options, plugin: options.name };
  assertImplements(options.name, await activate(transport, options.name, options), graphDriverProtocol);
  const client = createClient(graphDriverProtocol, transport, clientOptions);
  await client.init({
    Home: options.home,
    Opts: [...(options.options ?? [])],
    UIDMaps: (options.uidMaps ?? []).map(toWireIdMap),
    GIDMaps: (options.gidMaps ?? []).map(toWireIdMap),
  });
  const capabilities = await client.capabilities({}).catch((error: unknown) => {
    if (error instanceof CleatError && error.code === "UNIMPLEMENTED") return undefined; // an old plugin
    throw error;
  });

  return {
    name: options.name,
    capabilities: fromWireCapabilities(capabilities?.Capabilities ?? { ReproducesExactDiffs: false }),
    async create(id, { parent, mountLabel, storageOptions } = {}) {
      await client.create({ ...layerOn(id, parent), ...toWireOptions(mountLabel, storageOptions) });
    },
    async createReadWrite(id, { parent, mountLabel, storageOptions } = {}) {
      await client.createReadWrite({ ...layerOn(id, parent), ...toWireOptions(mountLabel, storageOptions) });
    },
    async remove(id) {
      await client.remove(layer(id));
    },
    async get(id, { mountLabel } = {}) {
      return (await client.get({ ...layer(id), ...toWireOptions(mountLabel) })).Dir;
    },
    async put(id) {
      await client.put(layer(id));
    },
    async exists(id) {
      return (await client.exists(layer(id))).Exists;
    },
    async status() {
      return (await client.status({})).Status;
    },
    async metadata(id) {
      return (await client.getMetadata(layer(id))).Metadata;
    },
    async diff(id, parent) {
      return client.diff(layerOn(id, parent));
    },
    async changes(id, parent) {
      return (await client.changes(layerOn(id, parent))).Changes.map(fromWireChange);
    },
    async applyDiff(id, parent, source) {
      const { ID, Parent } = layerOn(id, parent);
      const query = { id: ID, ...(Parent !== undefined && { parent: Parent }) };
      return (await client.applyDiff(query, { body: checkedSource(source, id) })).Size;
    },
    async diffSize(id, parent) {
      return (await client.diffSize(layerOn(id, parent))).Size;
    },
    async cleanup() {
      await client.cleanup({});
    },
    async close() {}, // the driver is the plugin's, the transport the caller's
    async [Symbol.asyncDispose]() {},
  };
}

function layer(id: string) {
  assertLayerId(id);
  return { ID: id };
}

function layerOn(id: string, parent: string | undefined) {
  if (parent !== undefined) assertLayerId(parent);
  return { ...layer(id), ...(parent !== undefined && { Parent: parent }) };
}

function toWireOptions(mountLabel?: string, storageOptions?: Readonly<Record<string, string>>) {
  return {
    ...(mountLabel !== undefined && { MountLabel: mountLabel }),
    ...(storageOptions !== undefined && { StorageOpt: { ...storageOptions } }),
  };
}
