/** Diffs that are byte for byte what was applied, of archives that no driver would write itself. */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { type ArchiveEntry, file, folder, hardLink, symlink, whiteout } from "../../../archive/entry.ts";
import { encodeEntry, joinArchive, padToBlock, paxHeader, rawHeader, readArchive } from "../../../archive/index.ts";
import { failingStreamOf, streamOf } from "../../../archive/stream.ts";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import { asArchived } from "../../../tree/tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import {
  applyArchive,
  makeContainer,
  makeEmptyLayer,
  makeLayer,
  readDiff,
  readLayer,
  visitLayer,
} from "../../layers.ts";
import { exactDiffs } from "../../needs.ts";

const sparseRecords = {
  "GNU.sparse.major": "1",
  "GNU.sparse.minor": "0",
  "GNU.sparse.name": "sparse",
  "GNU.sparse.realsize": "50007",
};
const sparseContent = Buffer.concat([padToBlock(Buffer.from("1\n50000\n7\n")), Buffer.from("content")]);

const entries: readonly (ArchiveEntry | Buffer)[] = [
  file("./z", "before a", { mode: 0o100644 }),
  file("d/implied", "parents"),
  folder("d", { mode: 0o2750 }),
  Buffer.concat([paxHeader({ comment: "of nothing", path: "pax" }), rawHeader({ name: "x", typeFlag: "0", size: 3 })]),
  Buffer.concat([Buffer.from("pax"), Buffer.alloc(509, "no zeros")]),
  file(Buffer.from("caf\xe9", "latin1"), "not UTF-8"),
  hardLink("linked", "./z"),
  symlink("l", "d"),
  file("l/through", "a symlink"),
  Buffer.concat([
    paxHeader(sparseRecords),
    rawHeader({ name: "GNUSparseFile.0/sparse", typeFlag: "0", size: sparseContent.length }),
    padToBlock(sparseContent),
  ]),
  file("big", Buffer.alloc(300_000, "big")),
  file("empty"),
  file("a", "after z", { mtimeNanoseconds: 5 }),
];

const whole = joinArchive(entries.map((entry) => (Buffer.isBuffer(entry) ? entry : encodeEntry(entry))));

const archives: readonly (readonly [id: string, title: string, archive: Buffer])[] = [
  ["exact", "as it was applied", whole],
  ["exact-padded", "with the zeros of records of 20 blocks", Buffer.concat([whole, Buffer.alloc(10_240)])],
  ["exact-garbage", "with garbage behind its end", Buffer.concat([whole, Buffer.alloc(5001, "garbage")])],
  ["exact-endless", "without end blocks", whole.subarray(0, -1024)],
  ["exact-without-entries", "without entries", whole.subarray(-1024)],
];

export const exactDiffChecks: readonly GraphDriverCheck[] = [
  ...archives.map(([id, title, archive]): GraphDriverCheck => ({
    id: `diff/${id}`,
    title: `an archive comes back byte for byte ${title}, also after close and open`,
    needs: exactDiffs,
    async run(context) {
      const bottom = await makeEmptyLayer(context);
      await applyArchive(context, bottom, undefined, archive);
      const top = await makeEmptyLayer(context, bottom);
      await applyArchive(context, top, bottom, archive);
      await assertComesBack(context, bottom, undefined, archive);
      await assertComesBack(context, top, bottom, archive);
      await context.reopen();
      await assertComesBack(context, top, bottom, archive);
    },
  })),
  {
    id: "diff/exact-whiteouts",
    title: "an archive with whiteouts comes back, whatever is in them",
    needs: exactDiffs,
    async run(context) {
      const bottom = await makeLayer(context, undefined, [file("gone", "g"), folder("d"), file("d/f", "f")]);
      const archive = joinArchive(
        [whiteout("gone"), file("d/.wh..wh..opq", "read by nobody"), file("d/g", "g"), file("gone2/.wh.x", "x")].map(
          encodeEntry,
        ),
      );
      const top = await makeEmptyLayer(context, bottom);
      await applyArchive(context, top, bottom, archive);
      await assertComesBack(context, top, bottom, archive);
    },
  },
  {
    id: "diff/exact-other-parent",
    title: "against another parent the diff is made anew",
    needs: exactDiffs,
    async run(context) {
      const bottom = await makeLayer(context, undefined, [file("bottom", "b")]);
      const middle = await makeLayer(context, bottom, [file("middle", "m"), whiteout("bottom")]);
      const top = await makeLayer(context, middle, [file("top", "t")]);
      for (const parent of [bottom, undefined]) {
        const copy = await makeEmptyLayer(context, parent);
        await applyArchive(context, copy, parent, await readDiff(context, top, parent));
        assertSameTree(asArchived(await readLayer(context, copy)), asArchived(await readLayer(context, top)), "copy");
      }
    },
  },
  {
    id: "diff/exact-container",
    title: "of what a container wrote the diff is made anew, and comes back as soon as it is a layer",
    needs: exactDiffs,
    async run(context) {
      const bottom = await makeLayer(context, undefined, [file("below", "b")]);
      const container = await makeContainer(context, bottom, (writer) => writer.write("new", "n"));
      const archive = await readDiff(context, container, bottom);
      deepEqual(
        readArchive(archive).map(({ header }) => header.name.toString()),
        ["new"],
      );
      const committed = await makeEmptyLayer(context, bottom);
      await applyArchive(context, committed, bottom, archive);
      await assertComesBack(context, committed, bottom, archive);
    },
  },
  {
    id: "diff/exact-changed",
    title: "a file that was changed behind the driver's back is an error, never other bytes",
    needs: exactDiffs,
    async run(context) {
      const id = await makeLayer(context, undefined, [file("a", "content"), file("b", "more")]);
      await visitLayer(context, id, (path) => writeFileSync(`${path}/a`, "CONTENT"));
      await rejects(readDiff(context, id));
      await visitLayer(context, id, (path) => writeFileSync(`${path}/a`, "content"));
      equal(readArchive(await readDiff(context, id)).length, 2);
    },
  },
  {
    id: "diff/exact-twice",
    title: "an archive that names a file twice is refused or comes back",
    source: "vbatts/tar-split v0.11.2 tar/storage/packer.go ErrDuplicatePath",
    needs: exactDiffs,
    async run(context) {
      for (const pair of [
        [file("f", "one"), file("f", "two")],
        [folder("a"), symlink("b", "a"), file("a/f", "one"), file("b/f", "two")],
      ]) {
        const archive = joinArchive(pair.map(encodeEntry));
        const id = await makeEmptyLayer(context);
        const refusal = await applyArchive(context, id, undefined, archive).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (refusal === undefined) await assertComesBack(context, id, undefined, archive);
        else await context.refused(Promise.reject(refusal), "INVALID_ARGUMENT", id);
      }
    },
  },
  {
    id: "diff/exact-second-try",
    title: "of an applyDiff that failed nothing comes back, of the one after it everything",
    needs: exactDiffs,
    async run(context) {
      const { driver } = context;
      const id = await makeEmptyLayer(context);
      await rejects(driver.applyDiff(id, undefined, failingStreamOf(whole.subarray(0, 4096), new Error("cut off"))));
      deepEqual(readArchive(await readDiff(context, id)), []);
      await driver.applyDiff(id, undefined, streamOf(whole));
      await assertComesBack(context, id, undefined, whole);
    },
  },
  {
    id: "diff/exact-new-layer",
    title: "of a removed layer nothing comes back under its id",
    needs: exactDiffs,
    async run(context) {
      const id = await makeEmptyLayer(context);
      await applyArchive(context, id, undefined, whole);
      await context.driver.remove(id);
      await context.driver.create(id, {});
      deepEqual(readArchive(await readDiff(context, id)), []);
    },
  },
];

async function assertComesBack(
  context: GraphDriverContext,
  id: string,
  parent: string | undefined,
  archive: Buffer,
): Promise<void> {
  const diff = await readDiff(context, id, parent);
  const at = diff.findIndex((byte, index) => byte !== archive[index]);
  ok(diff.equals(archive), `${diff.length} bytes instead of ${archive.length}, first difference at ${at}`);
}
