import { deepEqual, equal, ok } from "node:assert/strict";
import { blockBytes, type TarEntryType } from "../../../../tar/index.ts";
import { readArchive } from "../../../archive/index.ts";
import { type ArchiveEntry, file, folder, hardLink, whiteout } from "../../../archive/entry.ts";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import { asArchived } from "../../../tree/tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import {
  applyArchive,
  applyEntries,
  makeContainer,
  makeEmptyLayer,
  makeLayer,
  readDiff,
  readLayer,
} from "../../layers.ts";
import { diffsMadeAnew } from "../../needs.ts";
import { containerWrites, image } from "../content/container-writes.ts";

const second: readonly ArchiveEntry[] = [
  whiteout("data/one"),
  folder("data"),
  file("data/new", "n", { mtimeNanoseconds: 999_999_999 }),
  hardLink("data/new2", "data/new"),
  file("noted", "x", { xattrs: { "user.note": Buffer.from("x") } }),
];

/** Source: `S_IFMT` values, inode(7). */
const typeBits: Readonly<Record<TarEntryType, number>> = {
  file: 0o100000,
  hardlink: 0o100000,
  symlink: 0o120000,
  "character-device": 0o020000,
  "block-device": 0o060000,
  directory: 0o040000,
  fifo: 0o010000,
};

export const diffChecks: readonly GraphDriverCheck[] = [
  {
    id: "diff/docker-rules",
    title: "a diff is a tar archive as Docker's archiver writes it",
    source: "moby v20.10.24 and, without type bits, v26.1.5 pkg/archive/archive.go FileInfoHeader",
    needs: diffsMadeAnew,
    async run(context) {
      const bottom = await makeLayer(context, undefined, image);
      const top = await makeLayer(context, bottom, second);
      for (const archive of [await readDiff(context, bottom), await readDiff(context, top, bottom)]) {
        equal(archive.length % blockBytes, 0);
        ok(
          archive.subarray(-2 * blockBytes).every((byte) => byte === 0),
          "does not end with two blocks of zeros",
        );
        const entries = readArchive(archive);
        const writesTypeBits = entries.some(({ header }) => (header.mode & 0o170000) !== 0);
        for (const { header } of entries) {
          const name = header.name.toString("latin1");
          const bits = writesTypeBits ? typeBits[header.type] : 0;
          ok(!/^\.?\/|^\.{0,2}$|\/\//.test(name), `name ${JSON.stringify(name)} is not plain`);
          equal(name.endsWith("/"), header.type === "directory", `slash at the end of ${name}`);
          equal(header.mtimeNanoseconds, 0, `time of ${name}`);
          deepEqual([...header.xattrs.keys()], [], `attributes of ${name}`);
          if (!name.includes(".wh.")) equal(header.mode & 0o170000, bits, `type bits of ${name}`);
        }
      }
    },
  },
  {
    id: "diff/entries",
    title: "a diff holds what the layer adds, changes and deletes, and nothing else",
    async run(context) {
      const bottom = await makeLayer(context, undefined, image);
      const top = await makeLayer(context, bottom, second);
      const entries = readArchive(await readDiff(context, top, bottom));
      const names = entries.map(({ header }) => header.name.toString()).toSorted();
      deepEqual(names, ["data/", "data/.wh.one", "data/new", "data/new2", "noted"]);
      const links = entries.map(({ header }) => header.linkName.toString()).filter((name) => name !== "");
      deepEqual(links, ["data/new"]);
    },
  },
  {
    id: "diff/without-parent",
    title: "a diff without a parent is the whole layer",
    async run(context) {
      const bottom = await makeLayer(context, undefined, image);
      const top = await makeLayer(context, bottom, second);
      const copy = await makeEmptyLayer(context);
      await applyArchive(context, copy, undefined, await readDiff(context, top));
      assertSameTree(asArchived(await readLayer(context, copy)), asArchived(await readLayer(context, top)), "copy");
    },
  },
  {
    id: "diff/grandparent",
    title: "a diff against a layer further below carries all between",
    async run(context) {
      const bottom = await makeLayer(context, undefined, image);
      const middle = await makeLayer(context, bottom, second);
      const steps = containerWrites.find(({ id }) => id === "kinds-swapped")?.steps;
      const top = await makeContainer(context, middle, steps);
      const copy = await makeEmptyLayer(context, bottom);
      await applyArchive(context, copy, bottom, await readDiff(context, top, bottom));
      assertSameTree(asArchived(await readLayer(context, copy)), asArchived(await readLayer(context, top)), "copy");
    },
  },
  {
    id: "diff/sibling",
    title: "a diff against a layer that does not lie below leads from there to here",
    async run(context) {
      const bottom = await makeLayer(context, undefined, image);
      const here = await makeLayer(context, bottom, second);
      const there = await makeLayer(context, bottom, [
        whiteout("data"),
        file("etc/hosts", "theirs"),
        file("extra", "e"),
      ]);
      const copy = await makeEmptyLayer(context, there);
      await applyArchive(context, copy, there, await readDiff(context, here, there));
      assertSameTree(asArchived(await readLayer(context, copy)), asArchived(await readLayer(context, here)), "copy");
    },
  },
  {
    id: "diff/empty",
    title: "the diff of a layer that changes nothing is an archive without entries, and can be applied",
    async run(context) {
      const bottom = await makeLayer(context, undefined, image);
      const container = await makeContainer(context, bottom);
      const archive = await readDiff(context, container, bottom);
      ok(archive.length >= 2 * blockBytes, "has no end blocks");
      const copy = await makeEmptyLayer(context, bottom);
      equal(await applyArchive(context, copy, bottom, archive), 0);
      assertSameTree(await readLayer(context, copy), await readLayer(context, bottom), "copy");
    },
  },
  {
    id: "diff/same-twice",
    title: "the diff of a layer of an image is the same bytes each time",
    async run(context) {
      const bottom = await makeLayer(context, undefined, image);
      ok((await readDiff(context, bottom)).equals(await readDiff(context, bottom)));
    },
  },
  {
    id: "diff/abandoned",
    title: "a diff that is destroyed before its end leaves the layer usable",
    async run(context) {
      const { driver } = context;
      const entries = Array.from({ length: 4 }, (_, at) => file(`big-${at}`, Buffer.alloc(2 ** 20, at + 1)));
      const bottom = await makeLayer(context, undefined, entries);
      const container = await makeContainer(context, bottom, (writer) =>
        writer.write("more", Buffer.alloc(2 ** 21, 9)),
      );
      for (const parent of [bottom, undefined]) {
        const unread = await driver.diff(container, parent);
        unread.on("error", () => {});
        unread.destroy();
        for await (const _ of await driver.diff(container, parent)) break;
      }
      await applyEntries(context, await makeEmptyLayer(context, bottom), bottom, [file("a", "a")]);
      await driver.remove(container);
      equal(await driver.exists(container), false);
    },
  },
];
