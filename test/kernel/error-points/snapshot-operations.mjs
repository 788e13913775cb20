/** What fails of a snapshotter over a graph driver: its calls, and the journal of its records. */
import { openGraphDriverSnapshotter } from "cleat/snapshotter";

import { operations as killed } from "../crash-points/operations.mjs";
import { factories } from "../graphdriver/scenarios/layers.mjs";
import { withOther } from "./with-other.mjs";

const { commit } = killed;

/** What messages name in place of the snapshot. */
const subjects = ["records of snapshots", 'driver "'];

async function infoOf(snapshotter, name) {
  for await (const info of snapshotter.list()) if (info.name === name) return info;
  return undefined;
}

const ofSnapshots = (operation) => ({
  open: (name, root) => openGraphDriverSnapshotter({ driver: factories[name], root }),
  async prepare() {},
  look: async (snapshotter, id) => (await infoOf(snapshotter, id))?.kind ?? "absent",
  async tidy(snapshotter, id) {
    if ((await infoOf(snapshotter, id)) !== undefined) await snapshotter.remove(id);
  },
  async assertClean() {},
  subjects,
  ...operation,
});

const makeActive = (snapshotter, id) => snapshotter.prepare(id, {});

export const snapshotOperations = {
  commit: { ...commit, subjects },
  "prepare snapshot": ofSnapshots({ run: makeActive, before: ["absent"], after: ["active"] }),
  "view snapshot": ofSnapshots({
    async prepare(snapshotter) {
      if ((await infoOf(snapshotter, "base")) !== undefined) return;
      await snapshotter.prepare("base-key", {});
      await snapshotter.commit("base", "base-key", {});
    },
    run: (snapshotter, id) => snapshotter.view(id, { parent: "base" }),
    before: ["absent"],
    after: ["view"],
  }),
  "update snapshot": ofSnapshots({
    prepare: makeActive,
    run: (snapshotter, id) => snapshotter.update(id, { labels: { new: "1" } }),
    look: async (snapshotter, id) => JSON.stringify((await infoOf(snapshotter, id))?.labels),
    before: ["{}"],
    after: ['{"new":"1"}'],
  }),
  "remove snapshot": ofSnapshots({
    prepare: makeActive,
    run: (snapshotter, id) => snapshotter.remove(id),
    before: ["active"],
    after: ["absent"],
  }),
  /** A root of its own, with a snapshot. */
  "open snapshotter": ofSnapshots({
    async open(name, root) {
      const snapshotter = await openGraphDriverSnapshotter({ driver: factories[name], root });
      const openOther = () => openGraphDriverSnapshotter({ driver: factories[name], root: `${root}-other` });
      return Object.assign(snapshotter, { openOther });
    },
    prepare: (snapshotter) =>
      withOther(snapshotter, async (other) => {
        if ((await infoOf(other, "kept")) === undefined) await makeActive(other, "kept");
      }),
    run: (snapshotter) => withOther(snapshotter, async () => {}),
    look: (snapshotter) => withOther(snapshotter, async (other) => (await infoOf(other, "kept"))?.kind ?? "absent"),
    async tidy() {},
    before: ["active"],
    after: ["active"],
  }),
};
