import { deepEqual, equal } from "node:assert/strict";
import { availableParallelism } from "node:os";
import { file, folder } from "../../../archive/entry.ts";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import { mountsBelow } from "../../opened-driver.ts";
import { commitLayer, listChanges, makeContainer, makeLayer, readLayer } from "../../layers.ts";

/** More than there are cores, so that a pool of a thread per core would run dry; bounded, because each costs memory. */
const crowd = Math.min(availableParallelism() + 4, 20);
const everybody = Array.from({ length: crowd }, (_, at) => at);

export const togetherChecks: readonly GraphDriverCheck[] = [
  {
    id: "together/layers",
    title: "many layers are made, filled, read and removed at once",
    async run(context) {
      const bottom = await makeLayer(context, undefined, [folder("d"), file("d/below", "b")]);
      await Promise.all(
        everybody.map(async (at) => {
          const id = await makeLayer(context, bottom, [file(`d/of-${at}`, String(at))]);
          const container = await makeContainer(context, id, (writer) => writer.write("own", "x"));
          deepEqual(await listChanges(context, container, id), ["added /own"]);
          const names = [...(await readLayer(context, container)).keys()].toSorted();
          deepEqual(names, ["d", "d/below", `d/of-${at}`, "own"]);
          await context.driver.remove(container);
          await context.driver.remove(id);
          equal(await context.driver.exists(id), false);
        }),
      );
      deepEqual([...(await readLayer(context, bottom)).keys()].toSorted(), ["d", "d/below"]);
      deepEqual(mountsBelow(context.home), []);
    },
  },
  {
    id: "together/commits",
    title: "more commits than cores at once, each a diff that streams into an applyDiff, do not stop each other",
    source: "docker commit streams Diff on one connection while ApplyDiff runs on another",
    async run(context) {
      const bottom = await makeLayer(context, undefined, [file("below", "b")]);
      const container = await makeContainer(context, bottom, (writer) => {
        writer.write("large", Buffer.alloc(3 * 2 ** 20, "large"));
        writer.write("small", "s");
      });
      const copies = await Promise.all(everybody.map(() => commitLayer(context, container, bottom)));
      const [first, ...others] = await Promise.all(copies.map((id) => readLayer(context, id)));
      for (const other of others) assertSameTree(other, first ?? new Map(), "commit");
      equal(first?.get("large")?.sizeBytes, 3 * 2 ** 20);
    },
  },
  {
    id: "together/many",
    title: "more layers than anybody has cores, or files open, are filled at once: what finds no room waits",
    async run(context) {
      const names = Array.from({ length: 100 }, (_, at) => `d${at}`);
      const entries = names.flatMap((name) => [folder(name), file(`${name}/f`, name)]);
      const ids = await Promise.all(Array.from({ length: 64 }, () => makeLayer(context, undefined, entries)));
      for (const id of ids.slice(0, 2)) equal((await readLayer(context, id)).size, entries.length);
      await Promise.all(ids.map((id) => context.driver.remove(id)));
    },
  },
  {
    id: "together/one-layer",
    title: "calls that change one layer wait for one another",
    async run(context) {
      const bottom = await makeLayer(context, undefined, [file("below", "b")]);
      const id = context.newId();
      await Promise.allSettled([
        context.driver.createReadWrite(id, { parent: bottom }),
        context.driver.get(id, {}),
        context.driver.put(id),
        context.driver.remove(id),
      ]);
      await context.driver.remove(id);
      equal(await context.driver.exists(id), false);
      deepEqual(mountsBelow(context.home), []);
    },
  },
];
