import { equal, match } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { SnapshotterCheck } from "../check.ts";
import type { SnapshotterContext } from "../context.ts";
import { refOf, unpackRequest } from "../unpack-request.ts";

const needsAdoption = ({ abilities }: SnapshotterContext) =>
  abilities.adopts ? undefined : "the snapshotter hands no layer over to another namespace";

const newLayerId = () => `sha256:${randomBytes(32).toString("hex")}`;

/** Unpacks `layer`, as one namespace of containerd has it done. */
async function unpacked(context: SnapshotterContext, layer: string, parent?: string, namespace?: string) {
  const { snapshotter } = context;
  const { key, options } = unpackRequest(layer, parent, namespace);
  context.own(key);
  await snapshotter.prepare(key, options);
  const name = context.newName(`${namespace} `);
  await snapshotter.commit(name, key, { labels: refOf(layer) });
  return name;
}

export const adoptionChecks: readonly SnapshotterCheck[] = [
  {
    id: "adopt/unpacked",
    title:
      "a layer that is unpacked is there already for whoever would unpack it, and is listed by its label and parent",
    source: "containerd v1.6.20 metadata/snapshot.go, createSnapshot",
    needs: needsAdoption,
    async run(context) {
      const { snapshotter, refused, listOwn } = context;
      const [lower, upper] = [newLayerId(), newLayerId()];
      const base = await unpacked(context, lower, undefined, "first");
      const top = await unpacked(context, upper, base, "first");
      for (const [layer, parent, name] of [
        [lower, undefined, base],
        [upper, base, top],
      ] as const) {
        const { key, options } = unpackRequest(layer, parent, "second");
        const error = await refused(snapshotter.prepare(context.own(key), options), "ALREADY_EXISTS");
        match(error.message, /already exists$/); // containerd cuts that off, and writes it again
        await refused(snapshotter.stat(key), "NOT_FOUND");
        const filter = `labels."containerd.io/snapshot.ref"==${layer},parent==${JSON.stringify(parent ?? "")}`;
        equal([...(await listOwn([filter])).keys()].join(), name);
      }
    },
  },
  {
    id: "adopt/other-parent",
    title: "a layer on another parent, or not committed, or by another name, is unpacked",
    needs: needsAdoption,
    async run(context) {
      const { snapshotter, newCommitted } = context;
      const layer = newLayerId();
      const parent = await newCommitted();
      await unpacked(context, layer, parent, "first");
      const active = unpackRequest(newLayerId(), parent, "first");
      await snapshotter.prepare(context.own(active.key), active.options);
      const wanted = [
        unpackRequest(layer, undefined, "second"),
        unpackRequest(layer, await newCommitted(), "second"),
        unpackRequest(newLayerId(), parent, "second"),
        unpackRequest(active.options.labels?.["containerd.io/snapshot.ref"] ?? "", parent, "second"),
      ];
      for (const { key, options } of wanted) await snapshotter.prepare(context.own(key), options);
    },
  },
  {
    id: "adopt/containers",
    title: "nobody who asks for a container, or a view, is given a layer instead",
    needs: needsAdoption,
    async run(context) {
      const { snapshotter } = context;
      const layer = newLayerId();
      const parent = await unpacked(context, newLayerId(), undefined, "first");
      await unpacked(context, layer, parent, "first");
      const labels = refOf(layer);
      for (const key of ["default/1/c1", "default/2/x extract-1", "extract-1", "default/extract-1/c"]) {
        await snapshotter.prepare(context.own(key), { parent, labels });
        equal((await snapshotter.stat(key)).kind, "active");
      }
      const { key } = unpackRequest(layer, parent);
      await snapshotter.view(context.own(key), { parent, labels });
      const unlabelled = unpackRequest(layer, parent);
      await snapshotter.prepare(context.own(unlabelled.key), { parent });
    },
  },
  {
    id: "adopt/removed",
    title: "a layer that was removed is unpacked again",
    needs: needsAdoption,
    async run(context) {
      const { snapshotter } = context;
      const layer = newLayerId();
      await snapshotter.remove(await unpacked(context, layer, undefined, "first"));
      await unpacked(context, layer, undefined, "second");
    },
  },
];
