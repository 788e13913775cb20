import { deepEqual, rejects } from "node:assert/strict";
import type { ErrorCode } from "../../../../errors/index.ts";
import { blockBytes } from "../../../../tar/index.ts";
import {
  buildArchive,
  failingStreamOf,
  joinArchive,
  padToBlock,
  paxHeader,
  rawHeader,
} from "../../../archive/index.ts";
import { encodeEntry } from "../../../archive/build-archive.ts";
import { file, folder, hardLink, whiteout } from "../../../archive/entry.ts";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { applyArchive, applyEntries, listChanges, makeEmptyLayer, makeLayer, readLayer } from "../../layers.ts";

const below = [folder("d", { mode: 0o750 }), file("d/one", "1"), file("f", "f")];
const good = [
  whiteout("d/one"),
  folder("d"),
  file("d/new", "n".repeat(3000)),
  file("f", "changed"),
  hardLink("g", "f"),
];
const whole = buildArchive(good);
const withoutEnd = whole.subarray(0, whole.length - 2 * blockBytes);
const gigabytes = 3 * 2 ** 30;

type Codes = ErrorCode | readonly ErrorCode[];
type Row = readonly [id: string, title: string, archive: Uint8Array, codes: Codes];

/** What comes after entries that were good has more to undo. */
const rows: readonly Row[] = [
  ["no-bytes", "no byte at all, which is what a retried upload sends", Buffer.alloc(0), "INVALID_ARGUMENT"],
  ["garbage", "garbage", Buffer.from("no archive, just text. ".repeat(200)), ["INVALID_ARGUMENT", "DATA_LOSS"]],
  [
    "compressed",
    "gzip",
    Buffer.concat([Buffer.from("1f8b0800000000000003", "hex"), Buffer.alloc(1014, 7)]),
    ["INVALID_ARGUMENT", "DATA_LOSS"],
  ],
  [
    "checksum",
    "a wrong checksum after good entries",
    joinArchive([withoutEnd, rawHeader({ name: "x", typeFlag: "0", checksum: 1 })]),
    "INVALID_ARGUMENT",
  ],
  ["truncated-header", "an archive cut in a header", whole.subarray(0, blockBytes * 1.5), "DATA_LOSS"],
  [
    "truncated-content",
    "an archive cut in a file's content",
    whole.subarray(0, withoutEnd.length - 3 * blockBytes - 700),
    "DATA_LOSS",
  ],
  [
    "truncated-padding",
    "an archive cut in the padding",
    joinArchive([encodeEntry(file("x", "x"))]).subarray(0, blockBytes + 10),
    "DATA_LOSS",
  ],
  [
    "pax-gigabytes",
    "a PAX record that claims gigabytes",
    joinArchive([
      withoutEnd,
      rawHeader({ name: "p", typeFlag: "x", size: gigabytes }),
      padToBlock(Buffer.from("10 a=b\n")),
    ]),
    "INVALID_ARGUMENT",
  ],
  [
    "name-gigabytes",
    "a GNU long name that claims gigabytes",
    joinArchive([withoutEnd, rawHeader({ name: "././@LongLink", typeFlag: "L", size: gigabytes })]),
    "INVALID_ARGUMENT",
  ],
  [
    "file-gigabytes",
    "a file that claims gigabytes and has a block",
    Buffer.concat([withoutEnd, rawHeader({ name: "x", typeFlag: "0", size: gigabytes }), Buffer.alloc(blockBytes, 1)]),
    "DATA_LOSS",
  ],
  [
    "negative-size",
    "a file of negative size",
    joinArchive([withoutEnd, rawHeader({ name: "x", typeFlag: "0", size: Buffer.alloc(12, 0xff) })]),
    "INVALID_ARGUMENT",
  ],
  [
    "pax-malformed",
    "a PAX record whose length is wrong",
    joinArchive([withoutEnd, rawHeader({ name: "p", typeFlag: "x", size: 9 }), padToBlock(Buffer.from("99 path=x"))]),
    "INVALID_ARGUMENT",
  ],
  [
    "pax-nul",
    "a name with a NUL in it",
    joinArchive([withoutEnd, paxHeader({ path: "a\0b" }), rawHeader({ name: "x", typeFlag: "0" })]),
    "INVALID_ARGUMENT",
  ],
  [
    "name-too-long",
    "a name of 300 bytes after good entries",
    buildArchive([...good, file("x".repeat(300), "x")]),
    "INVALID_ARGUMENT",
  ],
  [
    "path-too-long",
    "a path of 6,000 bytes after good entries",
    buildArchive([...good, file(`${"folder/".repeat(857)}x`, "x")]),
    "INVALID_ARGUMENT",
  ],
  [
    "link-to-nothing",
    "a hard link to a name that is not there",
    buildArchive([...good, hardLink("x", "nothing")]),
    ["INVALID_ARGUMENT", "NOT_FOUND"],
  ],
  [
    "link-to-folder",
    "a hard link to a folder",
    buildArchive([...good, hardLink("x", "d")]),
    ["INVALID_ARGUMENT", "PERMISSION_DENIED"],
  ],
  [
    "parent-is-file",
    "a file below a file",
    buildArchive([...good, file("f/below", "x")]),
    ["INVALID_ARGUMENT", "FAILED_PRECONDITION"],
  ],
];

export const brokenArchiveChecks: readonly GraphDriverCheck[] = [
  ...rows.map(([id, title, archive, codes]): GraphDriverCheck => ({
    id: `broken/${id}`,
    title: `refused, and the layer is as it was created: ${title}`,
    async run(context) {
      const layers = await makeLayers(context);
      const { layer, parent } = layers;
      await context.refused(applyArchive(context, layer, parent, archive), codes, layer);
      await assertAsCreated(context, layers);
    },
  })),
  {
    id: "broken/stream-fails",
    title: "a stream that fails before the archive's end fails applyDiff, and the layer is as it was created",
    async run(context) {
      const sent = Buffer.concat([withoutEnd, encodeEntry(file("big", Buffer.alloc(2 ** 20, 5)))]);
      const broken = failingStreamOf(sent, new Error("the uplink broke"));
      const layers = await makeLayers(context);
      await rejects(context.driver.applyDiff(layers.layer, layers.parent, broken));
      // A remote driver may still be undoing it; only the second try, which changes the same layer, waits for that.
      await assertTakesDiff(context, layers);
    },
  },
  {
    id: "broken/second-apply",
    title: "a second diff for a layer that has one is refused, and the first stays",
    async run(context) {
      const { layer, parent } = await makeLayers(context);
      await applyEntries(context, layer, parent, good);
      const before = await readLayer(context, layer);
      await context.refused(applyEntries(context, layer, parent, [file("x", "x")]), "FAILED_PRECONDITION", layer);
      assertSameTree(await readLayer(context, layer), before, "layer");
    },
  },
];

interface Layers {
  readonly parent: string;
  readonly layer: string;
}

async function makeLayers(context: GraphDriverContext): Promise<Layers> {
  const parent = await makeLayer(context, undefined, below);
  return { parent, layer: await makeEmptyLayer(context, parent) };
}

/** The layer shows its parent, has no changes, and takes a diff as if nothing had happened. */
async function assertAsCreated(context: GraphDriverContext, { layer, parent }: Layers): Promise<void> {
  assertSameTree(await readLayer(context, layer), await readLayer(context, parent), "layer after the failure");
  deepEqual(await listChanges(context, layer, parent), []);
  await assertTakesDiff(context, { layer, parent });
}

async function assertTakesDiff(context: GraphDriverContext, { layer, parent }: Layers): Promise<void> {
  await applyEntries(context, layer, parent, good);
  const replay = await context.newReplay();
  replay.apply(below);
  replay.apply(good);
  assertSameTree(await readLayer(context, layer), replay.tree(), "layer after a second try");
}
