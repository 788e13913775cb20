import { CleatError, TransportError } from "../../errors/index.ts";
import type { Client, graphDriverProtocol } from "../../protocol/index.ts";
import { checkedSource } from "../streams/checked-source.ts";
import type { GraphDriver } from "../driver.ts";
import { assertLayerId } from "../layer-id.ts";
import { fromWireCapabilities, fromWireChange } from "./wire-shapes.ts";

export interface RemoteGraphDriverOptions {
  /** The plugin's name, for errors and as the driver's name. */
  readonly name: string;
}

/**
 * A graph driver behind a client: a driver like any other, for who has sent `Init` already, or finds the plugin opened
 * by an earlier process. What the plugin answers as failure is a `RemoteError`, with its code where the plugin is
 * Cleat's.
 *
 * - `GraphDriver.Capabilities` is asked once, before this resolves; of a plugin that does not know it the least is
 *   assumed.
 * - After `cleanup` a plugin waits for the next `Init`, so this object is of no more use.
 * - `remove` has no way to refuse a layer on which others lie: the protocol leaves that to the engine.
 * - `diffGetter`, `list`, `mend`, `mounts`, `usage` and `rebase` are not there.
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
    async create(id, { parent, mountLabel, storageOptions } = {}, call) {
      await ofLayer(id, client.create({ ...layerOn(id, parent), ...toWireOptions(mountLabel, storageOptions) }, call));
    },
    async createReadWrite(id, { parent, mountLabel, storageOptions } = {}, call) {
      await ofLayer(
        id,
        client.createReadWrite({ ...layerOn(id, parent), ...toWireOptions(mountLabel, storageOptions) }, call),
      );
    },
    async remove(id, { onGone } = {}, call) {
      await ofLayer(id, client.remove(layer(id), call));
      onGone?.();
    },
    async get(id, { mountLabel } = {}, call) {
      return (await ofLayer(id, client.get({ ...layer(id), ...toWireOptions(mountLabel) }, call))).Dir;
    },
    async put(id, call) {
      await ofLayer(id, client.put(layer(id), call));
    },
    async exists(id, call) {
      return (await ofLayer(id, client.exists(layer(id), call))).Exists;
    },
    async status(call) {
      return (await client.status({}, call)).Status;
    },
    async metadata(id, call) {
      return (await ofLayer(id, client.getMetadata(layer(id), call))).Metadata;
    },
    async diff(id, parent, call) {
      return ofLayer(id, client.diff(layerOn(id, parent), call));
    },
    async changes(id, parent, call) {
      return (await ofLayer(id, client.changes(layerOn(id, parent), call))).Changes.map(fromWireChange);
    },
    async applyDiff(id, parent, source, call) {
      const { ID, Parent } = layerOn(id, parent);
      const query = { id: ID, ...(Parent !== undefined && { parent: Parent }) };
      const { signal, timeoutMs } = call ?? {}; // by name: a call's signal may be no property of its own
      const options = { ...(timeoutMs !== undefined && { timeoutMs }), ...(signal !== undefined && { signal }) };
      return (await ofLayer(id, client.applyDiff(query, { ...options, body: checkedSource(source, id, signal) }))).Size;
    },
    async diffSize(id, parent, call) {
      return (await ofLayer(id, client.diffSize(layerOn(id, parent), call))).Size;
    },
    async cleanup(call) {
      await client.cleanup({}, call);
    },
    async close() {},
    async [Symbol.asyncDispose]() {},
  };
}

/** What a client says of a call that was given up, or whose time is over, names no layer. */
async function ofLayer<T>(id: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof TransportError) || error.message.includes(id)) throw error;
    const { code, message, reachedPeer } = error;
    throw new TransportError(code, `layer "${id}": ${message}`, { reachedPeer, cause: error });
  }
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
