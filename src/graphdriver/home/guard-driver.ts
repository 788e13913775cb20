import type { Readable } from "node:stream";
import { inspect } from "node:util";
import { CleatError, toCleatError } from "../../errors/index.ts";
import { checkedSource } from "../checked-source.ts";
import type { DiffGetter, GraphDriver } from "../driver.ts";
import { isOfFileSystem } from "../foreign-names.ts";
import { toLayerError } from "../layer-error.ts";
import { createPeerStreams, type PeerStreams } from "../peer-streams.ts";

/**
 * The driver as its callers have it: whatever goes wrong in it, on whatever road, is a `CleatError` that names the layer. Here
 * system calls that nobody foresaw get their code; what a driver has said better stays as it is. And no peer that is silent holds up
 * the removal of its layer, or the end of the driver.
 */
export function guardDriver(driver: GraphDriver): GraphDriver {
  const { diffGetter } = driver;
  const peers = createPeerStreams();
  const about = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      throw toCleatError(error, `driver "${driver.name}"`);
    }
  };
  return {
    name: driver.name,
    capabilities: driver.capabilities,
    create: (id, options = {}) => ofLayer(id, options.parent, () => driver.create(id, options)),
    createReadWrite: (id, options = {}) => ofLayer(id, options.parent, () => driver.createReadWrite(id, options)),
    remove: (id, options) => ofLayer(id, undefined, () => peers.outlast(id, () => driver.remove(id, options))),
    get: (id, options = {}) => ofLayer(id, undefined, () => driver.get(id, options)),
    put: (id) => ofLayer(id, undefined, () => driver.put(id)),
    exists: (id) => ofLayer(id, undefined, () => driver.exists(id)),
    status: () => about(() => driver.status()),
    metadata: (id) => ofLayer(id, undefined, () => driver.metadata(id)),
    diff: (id, parent) => ofLayer(id, parent, async () => followed(await driver.diff(id, parent), peers)),
    changes: (id, parent) => ofLayer(id, parent, () => driver.changes(id, parent)),
    applyDiff: (id, parent, source) =>
      ofLayer(id, parent, () =>
        peers.receive(id, checkedSource(source, id), (archive) => driver.applyDiff(id, parent, archive)),
      ),
    diffSize: (id, parent) => ofLayer(id, parent, () => driver.diffSize(id, parent)),
    ...(diffGetter && {
      diffGetter: (id) => ofLayer(id, undefined, async () => guardGetter(await diffGetter(id), id, peers)),
    }),
    cleanup: () => about(() => driver.cleanup()),
    close: () => about(() => peers.outlast(undefined, () => driver.close())),
  };
}

async function ofLayer<T>(id: string, parent: string | undefined, call: () => Promise<T>): Promise<T> {
  for (const given of [id, parent ?? ""]) {
    // A pattern would take a number for its digits, and `null` for a word.
    if (typeof given !== "string")
      throw new CleatError("INVALID_ARGUMENT", `layer id ${inspect(given, { depth: 0 })} is no string`);
    if (isOfFileSystem(given))
      throw new CleatError("INVALID_ARGUMENT", `layer id "${given}" is a name that file systems keep for themselves`);
  }
  try {
    return await call();
  } catch (error) {
    throw toLayerError(error, id);
  }
}

function followed(stream: Readable, peers: PeerStreams): Readable {
  peers.follow(stream);
  return stream;
}

function guardGetter(getter: DiffGetter, id: string, peers: PeerStreams): DiffGetter {
  return {
    get: (path) => ofLayer(id, undefined, async () => followed(await getter.get(path), peers)),
    close: () => ofLayer(id, undefined, () => getter.close()),
    [Symbol.asyncDispose]: () => ofLayer(id, undefined, () => getter.close()),
  };
}
