/** A graph driver that keeps each layer as a whole copy, on what Cleat's own drivers stand on. */
import { access } from "node:fs/promises";
import { CleatError } from "cleat/errors";
import type { CallOptions, CreateOptions, GraphDriverFactory, GraphDriverMethods } from "cleat/graphdriver";
import * as kit from "cleat/graphdriver/kit";
import * as jobs from "./jobs.js";

const { "cleat.exact_diffs": _, ...optionTable } = kit.commonOptions; // those that it can do

export const copying: GraphDriverFactory<typeof optionTable> = {
  name: "copying",
  cost: "copies every layer in full, twice",
  options: optionTable,
  open: (options) =>
    kit.openHome({ driver: "copying" }, options, async (home) => {
      const diffOptions = kit.toDiffOptions(kit.readDriverOptions("copying", options, optionTable));
      await home.pool.run(worker, "openStore", home.path);
      return createCopying(home, diffOptions);
    }),
};

const worker: kit.ModuleReference<typeof jobs> = { url: jobs.moduleUrl };

function createCopying(home: kit.OpenHome, { archiveDialect, strictAttributes }: kit.DiffOptions): GraphDriverMethods {
  const { path, ids, owner, durability, squash, userNamespace } = home;
  const keeper = kit.createLayerKeeper(home, worker, exists);

  async function exists(id: string): Promise<boolean> {
    kit.assertLayerId(id);
    return access(`${path}/layers/${id}`).then(
      () => true,
      () => false,
    );
  }

  async function assertThere(id: string): Promise<void> {
    if (!(await exists(id))) throw new CleatError("NOT_FOUND", `layer "${id}" does not exist`);
  }

  async function create(id: string, { parent, storageOptions }: CreateOptions = {}, call?: CallOptions): Promise<void> {
    kit.assertLayerId(id);
    kit.refuseStorageOptions("copying", id, storageOptions);
    if (parent !== undefined) await assertThere(parent);
    await keeper.make(id, parent, (pool) => pool.run(worker, "createLayer", path, id, parent, owner), call);
  }

  const get: GraphDriverMethods["get"] = (id, _options, call) => {
    kit.assertLayerId(id);
    return home.within(call).locks.whileUnchanged(id, async () => {
      await assertThere(id);
      return jobs.treeOf(path, id);
    });
  };
  const put = async (id: string): Promise<void> => kit.assertLayerId(id);

  return {
    name: "copying",
    capabilities: {
      reproducesExactDiffs: false,
      mounts: false,
      enforcesSize: false,
      protectsParents: true,
      maxDepth: Number.POSITIVE_INFINITY,
    },
    create,
    createReadWrite: create,
    get,
    put,
    exists,
    async remove(id, options, call) {
      kit.assertLayerId(id);
      const discard = async () => {
        home.locks.markChanged(id);
        return home.pool.run(worker, "discardLayer", path, id);
      };
      await keeper.remove(id, options, discard, call);
    },
    async applyDiff(id, parent, source, call) {
      kit.assertLayerId(id);
      const { pool, locks } = home.within(call);
      const options = { ids, owner, syncFiles: durability === "file", squash, userNamespace, strictAttributes };
      return locks.withLock(id, () => {
        home.locks.markChanged(id);
        const apply = (ring: kit.Ring) => pool.run(worker, "applyDiff", path, id, parent, ring, options);
        return kit.reportApplied(home.logger, id, pool.consume(source, apply));
      });
    },
    ...kit.createNaiveDiff({ get, put }, home, worker, { ids, archiveDialect }),
    status: async () => [],
    metadata: async (id) => (await assertThere(id), {}),
    cleanup: async () => {},
    close: home.close,
  };
}
