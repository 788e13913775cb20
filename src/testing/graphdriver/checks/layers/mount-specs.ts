/** What a driver tells of a layer's mount, carried out by the kernel without the driver. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import { isSystemError } from "../../../../errors/index.ts";
import type { MountSpec } from "../../../../graphdriver/index.ts";
import { file, folder, opaque, whiteout } from "../../../archive/entry.ts";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import { createTreeWriter } from "../../../tree/tree-writer.ts";
import { readTree } from "../../../tree/read-tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { listChanges, makeContainer, makeEmptyLayer, makeLayer, readLayer } from "../../layers.ts";
import { mountSpecs } from "../../needs.ts";
import { mountsBelow } from "../../opened-driver.ts";
import { mountSpecOf, visitMounted } from "../../perform-mount.ts";

/** An image whose second layer changes, deletes and hides what the first has. */
async function makeImage(context: GraphDriverContext): Promise<string> {
  const base = await makeLayer(context, undefined, [
    file("kept", "kept"),
    file("changed", "before"),
    file("deleted", "x"),
    folder("hidden"),
    file("hidden/below", "x"),
  ]);
  return makeLayer(context, base, [
    file("changed", "after it"),
    whiteout("deleted"),
    opaque("hidden"),
    file("hidden/instead", "y"),
  ]);
}

/** A stack of containerd's takes 127 layers. */
const deep = 127;

export const mountSpecChecks: readonly GraphDriverCheck[] = [
  {
    id: "spec/same-tree",
    title: "a layer's mount shows what get shows, of an image's first layer, of one above it and of a container",
    needs: mountSpecs,
    async run(context) {
      const base = await makeLayer(context, undefined, [folder("dir"), file("dir/f", "content")]);
      const image = await makeImage(context);
      const container = await makeContainer(context, image, (writer) => writer.write("written", "w"));
      for (const [id, readOnly] of [
        [base, false],
        [base, true],
        [image, true],
        [container, false],
        [container, true],
      ] as const) {
        const shown = await visitMounted(context, id, readOnly, readTree);
        assertSameTree(shown, await readLayer(context, id), `mount of ${id}`);
      }
    },
  },
  {
    id: "spec/writes",
    title: "what is written through a layer's mount is in the layer, and nowhere else",
    needs: mountSpecs,
    async run(context) {
      const image = await makeImage(context);
      const before = await visitMounted(context, image, true, readTree);
      const container = await makeContainer(context, image);
      const changes = await visitMounted(context, container, false, (path) => {
        const writer = createTreeWriter(path);
        writer.write("added", "new");
        writer.write("changed", "by the container");
        writer.remove("kept");
      }).then(() => listChanges(context, container, image));
      deepEqual(changes, ["added /added", "modified /changed", "deleted /kept"]);
      assertSameTree(await visitMounted(context, image, true, readTree), before, "image");
    },
  },
  {
    id: "spec/writes-without-parent",
    title: "what is written through the mount of a layer without a parent is in the layer",
    needs: mountSpecs,
    async run(context) {
      const id = await makeEmptyLayer(context);
      await visitMounted(context, id, false, (path) => createTreeWriter(path).write("f", "content"));
      deepEqual(await listChanges(context, id), ["added /f"]);
    },
  },
  {
    id: "spec/read-only",
    title: "through a mount that is read-only nothing can be written, and the layer's own files are seen",
    needs: mountSpecs,
    async run(context) {
      const base = await makeLayer(context, undefined, [file("f", "below")]);
      const top = await makeContainer(context, base, (writer) => writer.write("f", "on top"));
      for (const [id, content] of [
        [base, "below"],
        [top, "on top"],
      ] as const) {
        await visitMounted(context, id, true, (path) => {
          equal(readFileSync(`${path}/f`, "utf8"), content);
          for (const name of ["f", "new"])
            equal(
              codeOf(() => writeFileSync(`${path}/${name}`, "written")),
              "EROFS",
            );
        });
      }
    },
  },
  {
    id: "spec/one-spelling",
    title: "each mount names a layer's folder alike, by an absolute path that is not a symlink",
    source: "buildkit util/overlay/overlay_linux.go GetUpperdir compares the folders of two mounts as text",
    needs: mountSpecs,
    async run(context) {
      const base = await makeLayer(context, undefined, [file("f", "x")]);
      const middle = await makeLayer(context, base, [file("g", "x")]);
      const top = await makeContainer(context, middle);
      const specOf = (id: string, readOnly: boolean) => mountSpecOf(context, id, readOnly);
      const [ofBase, ofMiddle, ofTop, view] = [
        await specOf(base, true),
        await specOf(middle, true),
        await specOf(top, false),
        await specOf(top, true),
      ].map(foldersOf);
      for (const path of [ofBase, ofMiddle, ofTop, view].flatMap((paths) => paths ?? [])) {
        ok(isAbsolute(path) && lstatSync(path).isDirectory(), path);
      }
      if (ofTop?.length === 1) return deepEqual(view, ofTop); // a driver that has each layer in one folder
      deepEqual(ofMiddle?.slice(1), ofBase);
      deepEqual(ofTop?.slice(1), ofMiddle);
      deepEqual(view, ofTop);
    },
  },
  {
    id: "spec/mounts-nothing",
    title: "to tell a layer's mount nothing is mounted, and no put is owed",
    needs: mountSpecs,
    async run(context) {
      const container = await makeContainer(context, await makeImage(context));
      await mountSpecOf(context, container, false);
      await mountSpecOf(context, container, true);
      deepEqual(mountsBelow(context.home), []);
      await context.driver.remove(container);
      equal(await context.driver.exists(container), false);
    },
  },
  {
    id: "spec/after-reopen",
    title: "a layer's mount is the same after a restart",
    needs: mountSpecs,
    async run(context) {
      const container = await makeContainer(context, await makeImage(context));
      const before = await mountSpecOf(context, container, false);
      await context.reopen();
      deepEqual(await mountSpecOf(context, container, false), before);
    },
  },
  {
    id: "spec/deep",
    title: `${deep} layers on top of each other are shown by one mount`,
    source: "containerd v2.1.9 core/mount/mount_linux.go compactLowerdirOption",
    needs: (context) =>
      mountSpecs(context) ??
      (context.driver.capabilities.maxDepth < deep ? `driver "${context.driver.name}" stacks fewer layers` : undefined),
    async run(context) {
      let top = await makeLayer(context, undefined, [file("bottom", "b")]);
      for (let at = 1; at < deep; at++) top = await makeEmptyLayer(context, top);
      const container = await makeContainer(context, top);
      await visitMounted(context, container, false, (path) => {
        deepEqual(readdirSync(path), ["bottom"]);
        writeFileSync(`${path}/written`, "w");
      });
      deepEqual(await listChanges(context, container, top), ["added /written"]);
    },
  },
  {
    id: "spec/unknown",
    title: "of a layer that does not exist no mount is told",
    needs: mountSpecs,
    async run(context) {
      await context.refused(mountSpecOf(context, "nobody", false), "NOT_FOUND", "nobody");
      await context.refused(mountSpecOf(context, "../etc", true), "INVALID_ARGUMENT", "../etc");
    },
  },
];

/** The folders that a mount shows, the uppermost first. */
function foldersOf({ type, source, options }: MountSpec): string[] {
  if (type === "bind") return [source];
  const valuesOf = (name: string): string[] =>
    options
      .filter((option) => option.startsWith(`${name}=`))
      .flatMap((option) => option.slice(name.length + 1).split(":"));
  return [...valuesOf("upperdir"), ...valuesOf("lowerdir")];
}

function codeOf(call: () => void): string {
  try {
    call();
    return "no error";
  } catch (error) {
    return isSystemError(error) ? error.code : String(error);
  }
}
