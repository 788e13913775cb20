/** What a driver that lists its layers tells of them. */
import { deepEqual } from "node:assert/strict";
import type { ListedLayer } from "../../../../graphdriver/index.ts";
import { file } from "../../../archive/entry.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { makeContainer, makeEmptyLayer, makeLayer } from "../../layers.ts";
import { lists } from "../../needs.ts";

export const listChecks: readonly GraphDriverCheck[] = [
  {
    id: "list/layers",
    title: "each layer is listed once, sorted by id, with its parent",
    needs: lists,
    async run(context) {
      const base = await makeLayer(context, undefined, [file("f")]);
      const top = await makeLayer(context, base, [file("g")]);
      const empty = await makeEmptyLayer(context);
      const container = await makeContainer(context, top);
      const made = [base, top, empty, container];
      const listed = await list(context, made);
      deepEqual(
        listed.map(({ id, parent }) => [id, parent]),
        made.toSorted().map((id) => [id, { [top]: base, [container]: top }[id]]),
      );
    },
  },
  {
    id: "list/kinds",
    title: "what others lie on is an image; a container has the layer that Docker puts below it",
    needs: lists,
    async run(context) {
      const base = await makeLayer(context, undefined, [file("f")]);
      const container = context.newId();
      const init = `${container}-init`;
      await context.driver.createReadWrite(init, { parent: base });
      try {
        await context.driver.createReadWrite(container, { parent: init });
        const kinds = (await list(context, [base, init, container])).map(({ id, kind }) => [id, kind]);
        deepEqual(Object.fromEntries(kinds), { [base]: "image", [init]: "init", [container]: "container" });
      } finally {
        await context.driver.remove(container);
        await context.driver.remove(init);
      }
    },
  },
  {
    id: "list/removed",
    title: "a layer that was removed is listed no more, and none is after a restart",
    needs: lists,
    async run(context) {
      const kept = await makeEmptyLayer(context);
      const removed = await makeEmptyLayer(context, kept);
      deepEqual(await list(context, [kept, removed]), [
        { id: kept, parent: undefined, kind: "image" },
        { id: removed, parent: kept, kind: "unknown" },
      ]);
      await context.driver.remove(removed);
      deepEqual(await list(context, [kept, removed]), [{ id: kept, parent: undefined, kind: "unknown" }]);
      await context.reopen();
      deepEqual(await list(context, [kept, removed]), [{ id: kept, parent: undefined, kind: "unknown" }]);
    },
  },
];

/** What is told of these; the driver may have others. */
async function list({ driver }: GraphDriverContext, ids: readonly string[]): Promise<ListedLayer[]> {
  const listed: ListedLayer[] = [];
  for await (const layer of driver.list?.() ?? []) if (ids.includes(layer.id)) listed.push(layer);
  return listed;
}
