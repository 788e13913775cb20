import { inspect } from "node:util";
import { CleatError, toCleatError } from "../../errors/index.ts";
import { checkedSource } from "../checked-source.ts";
import type { DiffGetter, GraphDriver, GraphDriverMethods } from "../driver.ts";
import { isOfFileSystem } from "../foreign-names.ts";
import { toLayerError } from "../layer-error.ts";

/**
 * The driver as its callers have it: whatever goes wrong in it, on whatever road, is a `CleatError` that names the layer. Here
 * system calls that nobody foresaw get their code; what a driver has said better stays as it is.
 */
export function guardDriver(driver: GraphDriverMethods): GraphDriver {
  const { diffGetter, list } = driver;
  const about = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      throw toCleatError(error, `driver "${driver.name}"`);
    }
  };
  const close = () => about(() => driver.close());
  return {
    name: driver.name,
    capabilities: driver.capabilities,
    create: (id, options = {}) => ofLayer(id, options.parent, () => driver.create(id, options)),
    createReadWrite: (id, options = {}) => ofLayer(id, options.parent, () => driver.createReadWrite(id, options)),
    remove: (id, options) => ofLayer(id, undefined, () => driver.remove(id, options)),
    get: (id, options = {}) => ofLayer(id, undefined, () => driver.get(id, options)),
    put: (id) => ofLayer(id, undefined, () => driver.put(id)),
    exists: (id) => ofLayer(id, undefined, () => driver.exists(id)),
    status: () => about(() => driver.status()),
    metadata: (id) => ofLayer(id, undefined, () => driver.metadata(id)),
    diff: (id, parent) => ofLayer(id, parent, () => driver.diff(id, parent)),
    changes: (id, parent) => ofLayer(id, parent, () => driver.changes(id, parent)),
    applyDiff: (id, parent, source) =>
      ofLayer(id, parent, () => driver.applyDiff(id, parent, checkedSource(source, id))),
    diffSize: (id, parent) => ofLayer(id, parent, () => driver.diffSize(id, parent)),
    ...(diffGetter && {
      diffGetter: (id) => ofLayer(id, undefined, async () => guardGetter(await diffGetter(id), id)),
    }),
    ...(list && {
      async *list() {
        const layers = list()[Symbol.asyncIterator]();
        for (let next = await about(() => layers.next()); next.done !== true; next = await about(() => layers.next())) {
          yield next.value;
        }
      },
    }),
    cleanup: () => about(() => driver.cleanup()),
    close,
    [Symbol.asyncDispose]: close,
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

function guardGetter(getter: DiffGetter, id: string): DiffGetter {
  return {
    get: (path) => ofLayer(id, undefined, () => getter.get(path)),
    close: () => ofLayer(id, undefined, () => getter.close()),
    [Symbol.asyncDispose]: () => ofLayer(id, undefined, () => getter.close()),
  };
}
