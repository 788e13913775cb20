import { CleatError } from "../../errors/index.ts";
import type { Client, graphDriverProtocol } from "../../protocol/index.ts";
import { checkedSource } from "../checked-source.ts";
import type { GraphDriver } from "../driver.ts";
import { assertLayerId } from "../layer-id.ts";
import { fromWireCapabilities, fromWireChange } from "./wire-shapes.ts";

export interface RemoteGraphDriverOptions {
  /** The plugin's name, for errors and as the driver's name. */
  readonly name: string;
}

/**
 * A graph driver behind a client: a driver like any other, for who has sent `Init` already, or finds the plugin opened by an earlier
 * process. What the plugin answers as failure is a `RemoteError`, with its code where the plugin is Cleat's.
 *
 * - `GraphDriver.Capabilities` is asked once, before this resolves; of a plugin that does not know it the least is assumed.
 * - After `cleanup` a plugin waits for the next `Init`, so this object is of no more use.
 * - `remove` has no way to refuse a layer on which others lie: the protocol leaves that to the engine.
 * - `diffGetter` and `list` are not there.
 * - `close` sends nothing: the driver is the plugin's.
 */
export async function createRemoteGraphDriver(
  client: Client<typeof graphDriverProtocol>,
  { name }: RemoteGraphDriverOptions,
): Promise<GraphDriver> {
  const capabilities = await client.capabilities({}).catch((error: unknown) => {
    if (error instanceof CleatError && error.code === "UNIMPLEMENTED") return undefined; // an old plugin
    throw error;
  });

  return {
    name,
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
    async close() {},
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
