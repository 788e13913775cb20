/** Layers that are filled before they have a parent. */
import { deepEqual, equal } from "node:assert/strict";
import { AT_FDCWD, isInUserNamespace, lsetxattr, mknodat, S_IFCHR } from "../../../../syscall/index.ts";
import { file, folder } from "../../../archive/entry.ts";
import { createTreeWriter } from "../../../tree/tree-writer.ts";
import { readTree } from "../../../tree/read-tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { listChanges, makeContainer, makeEmptyLayer, makeLayer, readLayer, visitLayer } from "../../layers.ts";
import { protectedParents, rebases } from "../../needs.ts";
import { visitMounted } from "../../perform-mount.ts";

const below = [
  file("kept", "kept"),
  file("deleted", "x"),
  folder("hidden"),
  file("hidden/below", "x"),
  folder("merged"),
  file("merged/below", "x"),
];

function markOpaque(path: string): void {
  lsetxattr(path, `${isInUserNamespace() ? "user" : "trusted"}.overlay.opaque`, Buffer.from("y"));
}

/** A layer without a parent, filled as containerd's applier fills it: with deletions as overlay keeps them. Its id. */
async function makeLoose(context: GraphDriverContext): Promise<string> {
  const id = await makeEmptyLayer(context);
  await visitMounted(context, id, false, (path) => {
    const writer = createTreeWriter(path);
    writer.write("added", "new");
    mknodat(AT_FDCWD, `${path}/deleted`, S_IFCHR, 0, 0);
    writer.makeFolder("hidden");
    markOpaque(`${path}/hidden`);
    writer.write("hidden/instead", "y");
    writer.makeFolder("merged");
    writer.write("merged/own", "z");
  });
  return id;
}

const merged = ["added", "hidden", "hidden/instead", "kept", "merged", "merged/below", "merged/own"];

async function namesIn(context: GraphDriverContext, id: string): Promise<string[]> {
  return [...(await readLayer(context, id)).keys()].toSorted();
}

async function rebase({ driver }: GraphDriverContext, id: string, parent: string | undefined): Promise<void> {
  if (driver.rebase === undefined) throw new Error("driver has no rebase");
  await driver.rebase(id, parent);
}

export const rebaseChecks: readonly GraphDriverCheck[] = [
  {
    id: "rebase/merged",
    title: "a filled layer that is laid on another shows both, without what it deletes and hides",
    needs: rebases,
    async run(context) {
      const base = await makeLayer(context, undefined, below);
      const id = await makeLoose(context);
      await rebase(context, id, base);
      deepEqual(await namesIn(context, id), merged);
      deepEqual([...(await visitMounted(context, id, true, readTree)).keys()].toSorted(), merged);
      deepEqual(await listChanges(context, id, base), [
        "added /added",
        "deleted /deleted",
        "modified /hidden",
        "deleted /hidden/below",
        "added /hidden/instead",
        "modified /merged",
        "added /merged/own",
      ]);
      const container = await makeContainer(context, id, (writer) => writer.write("written", "w"));
      deepEqual(await namesIn(context, container), [...merged, "written"].toSorted());
    },
  },
  {
    id: "rebase/opaque-root",
    title: "a filled layer whose root is opaque shows nothing of what it is laid on, nor of the next one",
    needs: rebases,
    async run(context) {
      const base = await makeLayer(context, undefined, below);
      const next = await makeLayer(context, base, [file("further", "f"), folder("kept"), file("kept/f", "f")]);
      const id = await makeLoose(context);
      await visitMounted(context, id, false, (path) => markOpaque(path));
      const own = ["added", "hidden", "hidden/instead", "merged", "merged/own"];
      for (const parent of [base, next]) {
        await rebase(context, id, undefined);
        await rebase(context, id, parent);
        await rebase(context, id, parent);
        deepEqual(await namesIn(context, id), own);
        deepEqual([...(await visitMounted(context, id, true, readTree)).keys()].toSorted(), own);
      }
      const changes = await listChanges(context, id, next);
      deepEqual(
        changes.filter((change) => change.startsWith("deleted")),
        ["deleted /deleted", "deleted /further", "deleted /hidden/below", "deleted /kept", "deleted /merged/below"],
      );
    },
  },
  {
    id: "rebase/after-reopen",
    title: "a layer lies where it was laid after a restart, too, and its mount can be written to",
    needs: rebases,
    async run(context) {
      const base = await makeLayer(context, undefined, below);
      const id = await makeLoose(context);
      await rebase(context, id, base);
      await rebase(context, id, base); // where it lies already
      await context.reopen();
      deepEqual(await namesIn(context, id), merged);
      await visitMounted(context, id, false, (path) => createTreeWriter(path).write("later", "l"));
      deepEqual(await namesIn(context, id), [...merged, "later"].toSorted());
    },
  },
  {
    id: "rebase/taken-back",
    title: "a layer that was laid on another is taken off it, and is what it was",
    needs: rebases,
    async run(context) {
      const base = await makeLayer(context, undefined, below);
      const id = await makeLoose(context);
      const before = await namesIn(context, id);
      await rebase(context, id, undefined); // it lies on none
      await rebase(context, id, base);
      await rebase(context, id, undefined);
      deepEqual(await namesIn(context, id), before);
      await context.driver.remove(base);
      await context.reopen();
      deepEqual(await namesIn(context, id), before);
    },
  },
  {
    id: "rebase/protects",
    title: "a layer on which another was laid is not removed before that one is",
    needs: (context) => rebases(context) ?? protectedParents(context),
    async run(context) {
      const base = await makeLayer(context, undefined, below);
      const id = await makeLoose(context);
      await rebase(context, id, base);
      await context.refused(context.driver.remove(base), "FAILED_PRECONDITION", id);
      await context.driver.remove(id);
      await context.driver.remove(base);
      equal(await context.driver.exists(base), false);
    },
  },
  {
    id: "rebase/refused",
    title: "no layer is laid on itself, on one that is not there, or on another while it is mounted or has children",
    needs: rebases,
    async run(context) {
      const base = await makeLayer(context, undefined, below);
      const id = await makeLoose(context);
      await context.refused(rebase(context, id, "nobody"), "NOT_FOUND", "nobody");
      await context.refused(rebase(context, "nobody", base), "NOT_FOUND", "nobody");
      await context.refused(rebase(context, id, id), "FAILED_PRECONDITION", id);
      const child = await makeEmptyLayer(context, id);
      await context.refused(rebase(context, id, base), "FAILED_PRECONDITION", child);
      await context.driver.remove(child);
      await rebase(context, id, base);
      const other = await makeEmptyLayer(context);
      await context.refused(rebase(context, id, other), "FAILED_PRECONDITION", base);
      await visitLayer(context, id, () => context.refused(rebase(context, id, undefined), "FAILED_PRECONDITION", id));
      deepEqual(await namesIn(context, id), merged);
      // What could not be done keeps none from going.
      await context.driver.remove(other);
      equal(await context.driver.exists(other), false);
    },
  },
];
