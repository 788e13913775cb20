import { deepEqual, equal } from "node:assert/strict";
import { linkSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { file, folder } from "../../../archive/entry.ts";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import { expectedChanges, expectedSizeBytes } from "../../../tree/expected-changes.ts";
import { readTree } from "../../../tree/read-tree.ts";
import { asArchived, type Tree, withoutFolderTimes, withoutLinks } from "../../../tree/tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import {
  applyEntries,
  commitLayer,
  listChanges,
  makeContainer,
  makeEmptyLayer,
  makeLayer,
  readLayer,
  visitLayer,
} from "../../layers.ts";
import { root } from "../../needs.ts";
import { type ContainerWrites, containerWrites, image } from "../content/container-writes.ts";
import { netRaw } from "../content/file-kinds.ts";

export const changesChecks: readonly GraphDriverCheck[] = [
  ...containerWrites.flatMap((writes): GraphDriverCheck[] => {
    const needs = writes.needs === undefined ? {} : { needs: writes.needs };
    return [
      {
        id: `changes/${writes.id}`,
        title: `changes lists exactly: ${writes.title}`,
        ...needs,
        async run(context) {
          const { parent, container, before, after } = await runContainer(context, writes);
          assertSameTree(await readLayer(context, container), after, "container");
          const changes = await listChanges(context, container, parent);
          deepEqual(changes.toSorted(byPath), expectedChanges(before, after));
        },
      },
      {
        id: `commit/${writes.id}`,
        title: `a diff, applied to a second layer, gives the same files: ${writes.title}`,
        ...needs,
        async run(context) {
          const { parent, container, after } = await runContainer(context, writes);
          const copy = await commitLayer(context, container, parent);
          const view = writes.linksToImage === true ? (tree: Tree) => withoutLinks(asArchived(tree)) : asArchived;
          assertSameTree(view(await readLayer(context, copy)), view(after), "committed layer");
        },
      },
    ];
  }),
  {
    id: "changes/sorted",
    title: "changes come sorted by the bytes of their paths",
    async run(context) {
      const { parent, container } = await runContainer(context, rowOf("odd-names"));
      const changes = await listChanges(context, container, parent);
      deepEqual(changes, changes.toSorted(byPath));
    },
  },
  {
    id: "changes/bytes",
    title: "changes carries names that are not UTF-8",
    async run(context) {
      const parent = await makeLayer(context, undefined, image);
      const container = await makeContainer(context, parent);
      await visitLayer(context, container, (path) => {
        writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0x63, 0xe9])]), "x");
      });
      deepEqual(await listChanges(context, container, parent), ["added /c\xe9"]);
    },
  },
  {
    id: "commit/bytes",
    title: "a diff carries names that are not UTF-8, of what is new, changed, linked to and gone",
    async run(context) {
      const name = (text: string): Buffer => Buffer.from(text, "latin1");
      const below = [folder(name("d\xe9")), file(name("d\xe9/\xff"), "x"), file(name("gone\xfe"), "x")];
      const parent = await makeLayer(context, undefined, below);
      const container = await makeContainer(context, parent);
      const after = await visitLayer(context, container, (path) => {
        const at = (text: string): Buffer => Buffer.concat([Buffer.from(`${path}/`), name(text)]);
        unlinkSync(at("gone\xfe"));
        writeFileSync(at("d\xe9/\xff"), "longer");
        writeFileSync(at("d\xe9/new\x80"), "n");
        linkSync(at("d\xe9/new\x80"), at("linked\x81"));
        symlinkSync(name("\xff\xfe"), at("symlink\x82"));
        return readTree(path);
      });
      const copy = await commitLayer(context, container, parent);
      const view = (tree: Tree): Tree => withoutFolderTimes(asArchived(tree));
      assertSameTree(view(await readLayer(context, copy)), view(after), "committed layer");
    },
  },
  {
    id: "commit/capability-taken",
    title: "a file whose capabilities were taken away has none after a commit",
    needs: root,
    async run(context) {
      const owned = file("ping", "x", { xattrs: { "security.capability": netRaw } });
      const parent = await makeLayer(context, undefined, [owned, file("other", "x")]);
      const container = await makeContainer(context, parent, (writer) =>
        writer.removeAttribute("ping", "security.capability"),
      );
      deepEqual(await listChanges(context, container, parent), ["modified /ping"]);
      const copy = await readLayer(context, await commitLayer(context, container, parent));
      deepEqual(copy.get("ping")?.xattrs, {});
    },
  },
  {
    id: "changes/of-image",
    title: "changes without a parent lists every file as added",
    async run(context) {
      const replay = await context.newReplay();
      replay.apply(image);
      const id = await makeLayer(context, undefined, image);
      deepEqual((await listChanges(context, id)).toSorted(byPath), expectedChanges(new Map(), replay.tree()));
    },
  },
  {
    id: "changes/grandparent",
    title: "changes against a layer further below lists all between",
    async run(context) {
      const above = [file("data/one", "new"), file("data/.wh.two", ""), file("more", "m")];
      const replay = await context.newReplay();
      replay.apply(image);
      const before = replay.tree();
      const bottom = await makeLayer(context, undefined, image);
      const middle = await makeLayer(context, bottom, above);
      const top = await makeContainer(context, middle, rowOf("deleted").steps);
      replay.apply(above);
      replay.write(rowOf("deleted").steps);
      const changes = await listChanges(context, top, bottom);
      deepEqual(changes.toSorted(byPath), expectedChanges(before, replay.tree()));
    },
  },
  {
    id: "changes/mounted",
    title: "changes and diff are asked of a running container, and it stays mounted",
    async run(context) {
      const { parent, container, before, after } = await runContainer(context, rowOf("new-files"));
      await visitLayer(context, container, async (path) => {
        const changes = await listChanges(context, container, parent);
        deepEqual(changes.toSorted(byPath), expectedChanges(before, after));
        await commitLayer(context, container, parent);
        equal(await context.driver.get(container, {}), path);
        await context.driver.put(container);
        writeFileSync(`${path}/still-there`, "x");
      });
    },
  },
  {
    id: "size/of-container",
    title: "diffSize is the bytes of the files that a container added or changed",
    async run(context) {
      for (const id of ["new-files", "overwritten", "hard-links", "folder-replaced", "deleted"]) {
        const { parent, container, before, after } = await runContainer(context, rowOf(id));
        equal(await context.driver.diffSize(container, parent), expectedSizeBytes(before, after), id);
      }
    },
  },
  {
    id: "size/of-image",
    title: "applyDiff answers the bytes of the files that it made, as diffSize does",
    async run(context) {
      const entries = [file("a", "a".repeat(1000)), file("b/c", "c".repeat(2345)), file("empty")];
      const id = await makeEmptyLayer(context);
      equal(await context.driver.diffSize(id), 0);
      const layer = await makeEmptyLayer(context, id);
      equal(await applyEntries(context, layer, id, entries), 3345);
      equal(await context.driver.diffSize(layer, id), 3345);
    },
  },
];

const byPath = (a: string, b: string): number => (pathOf(a) < pathOf(b) ? -1 : 1);
const pathOf = (change: string): string => change.slice(change.indexOf("/"));

function rowOf(id: string): ContainerWrites {
  return containerWrites.find((row) => row.id === id) as ContainerWrites;
}

/** An image, a container on it that does the row's steps, and what both must show. */
async function runContainer(context: GraphDriverContext, { steps }: ContainerWrites) {
  const replay = await context.newReplay();
  replay.apply(image);
  const before = replay.tree();
  replay.write(steps);
  const parent = await makeLayer(context, undefined, image);
  const container = await makeContainer(context, parent, steps);
  return { parent, container, before, after: replay.tree() };
}
