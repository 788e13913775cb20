/**
 * Archives that try to leave their layer. A driver may refuse one or keep it below the layer's root; outside, nothing
 * may come to be, change or go. The names are containerd's (v1.6.20 `archive/tar_test.go` `TestBreakouts`) and moby's
 * (v20.10.24 `pkg/archive/archive_test.go`), where those are the source.
 */
import { deepEqual, equal } from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { joinArchive, padToBlock, rawHeader } from "../../../archive/index.ts";
import { encodeEntry } from "../../../archive/build-archive.ts";
import { type ArchiveEntry, file, folder, hardLink, opaque, symlink, whiteout } from "../../../archive/entry.ts";
import { assertSameTree } from "../../../tree/assert-same-tree.ts";
import { readTree } from "../../../tree/read-tree.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { applyArchive, makeEmptyLayer, makeLayer, readLayer } from "../../layers.ts";

/** `target` is a folder outside that holds `secret`, as an absolute path, `up` the same from any layer's root. */
type Attack = (target: string, up: string) => readonly (ArchiveEntry | Buffer)[];

const attacks: readonly [id: string, title: string, attack: Attack][] = [
  ["absolute-name", "a file by its absolute path", (target) => [raw(`${target}/secret`)]],
  ["dot-dot-name", "a file through ..", (_, up) => [raw(`${up}/secret`)]],
  ["dot-dot-inside", "a file through .. behind a folder", (_, up) => [folder("d"), raw(`d/${up}/new`)]],
  [
    "absolute-symlink",
    "a file through an absolute symlink",
    (target) => [symlink("l", target), file("l/secret", "x"), file("l/new", "x")],
  ],
  [
    "relative-symlink",
    "a file through a relative symlink",
    (_, up) => [symlink("l", up), file("l/secret", "x"), file("l/new", "x")],
  ],
  [
    "symlink-chain",
    "a file through a chain of symlinks",
    (target) => [symlink("a", "b"), symlink("b", "c"), symlink("c", target), file("a/secret", "x")],
  ],
  [
    "symlink-file",
    "a file over a symlink of its own name",
    (target) => [symlink("f", `${target}/secret`), file("f", "x", { mode: 0o777 })],
  ],
  [
    "symlink-folder",
    "a folder over a symlink to one",
    (target) => [symlink("d", target), folder("d", { mode: 0o777 }), file("d/new", "x")],
  ],
  [
    "symlink-and-back",
    "a symlink over a folder that holds files",
    (target) => [folder("d"), file("d/a", "x"), symlink("d", target), file("d/secret", "x")],
  ],
  [
    "symlink-in-symlink",
    "a symlink made through a symlink",
    (target) => [symlink("a", target), symlink("a/new", "/"), file("a/new/etc", "x")],
  ],
  [
    "root-symlink",
    "the root as a symlink",
    (target) => [symlink("..", target), symlink(".", target), file("secret", "x")],
  ],
  [
    "hard-link-absolute",
    "a hard link to an absolute path, then written and chmodded",
    (target) => [hardLink("h", `${target}/secret`), file("h", "x", { mode: 0o777 })],
  ],
  ["hard-link-up", "a hard link through ..", (_, up) => [hardLink("h", `${up}/secret`)]],
  [
    "hard-link-symlink",
    "a hard link through a symlink, then written",
    (target) => [symlink("l", target), hardLink("h", "l/secret"), file("h", "x")],
  ],
  [
    "hard-link-to-symlink",
    "a hard link to a symlink, then written",
    (target) => [symlink("l", `${target}/secret`), hardLink("h", "l"), file("h", "x", { mode: 0o777 })],
  ],
  [
    "hard-link-into",
    "a hard link made outside through a symlink",
    (target) => [file("f", "x"), symlink("l", target), hardLink("l/new", "f")],
  ],
  ["whiteout-absolute", "a whiteout by an absolute path", (target) => [raw(`${target}/.wh.secret`)]],
  ["whiteout-up", "a whiteout through ..", (_, up) => [raw(`${up}/.wh.secret`)]],
  ["whiteout-symlink", "a whiteout through a symlink", (target) => [symlink("l", target), whiteout("l/secret")]],
  ["whiteout-root", "whiteouts of the root and of what holds it", () => [raw("d/.wh..."), raw(".wh..."), raw(".wh..")]],
  ["opaque-symlink", "an opaque marker through a symlink", (target) => [symlink("l", target), opaque("l")]],
  ["opaque-up", "an opaque marker through ..", (_, up) => [raw(`${up}/.wh..wh..opq`)]],
  ["proc-root", "a file through /proc", () => [symlink("l", "/proc/self/root/tmp"), file("l/cleat-kit-escaped", "x")]],
  [
    "overlay-opaque",
    "overlay's own attributes",
    (target) => [
      folder("d", {
        xattrs: { "user.overlay.redirect": Buffer.from(target), "user.overlay.opaque": Buffer.from("y") },
      }),
    ],
  ],
];

export const breakoutChecks: readonly GraphDriverCheck[] = attacks.map(([id, title, attack]) => ({
  id: `breakout/${id}`,
  title: `nothing outside the layer is touched: ${title}`,
  async run(context) {
    const target = `${context.scratch}/target`;
    mkdirSync(target);
    writeFileSync(`${target}/secret`, "secret", { mode: 0o600 });
    const before = readTree(context.scratch);
    const neighbour = await makeLayer(context, undefined, [file("secret", "neighbour's")]);
    const neighbourBefore = await readLayer(context, neighbour);

    const parts = attack(target, `${"../../".repeat(40)}${target.slice(1)}`);
    const archive = joinArchive(parts.map((part) => (Buffer.isBuffer(part) ? part : encodeEntry(part))));
    const layer = await makeEmptyLayer(context);
    const refused = await applyArchive(context, layer, undefined, archive).then(
      () => false,
      () => true,
    );
    if (refused) deepEqual([...(await readLayer(context, layer)).keys()], [], "refused, but in part");
    else await assertConfined(context, layer, target);

    deepEqual(readTree(context.scratch), before);
    equal(readFileSync(`${target}/secret`, "latin1"), "secret");
    assertSameTree(await readLayer(context, neighbour), neighbourBefore, "neighbour");
    await context.driver.remove(layer);
    deepEqual(readTree(context.scratch), before, "removing the layer reached outside");
  },
}));

/** A small file under a name as it stands, which an encoder of ours might clean. */
function raw(name: string): Buffer {
  if (name.length > 100)
    return Buffer.concat([
      longName(name),
      rawHeader({ name: "x", typeFlag: "0", size: 1 }),
      padToBlock(Buffer.from("x")),
    ]);
  return Buffer.concat([rawHeader({ name, typeFlag: "0", size: 1 }), padToBlock(Buffer.from("x"))]);
}

/** GNU's long name, which is taken as it is. */
function longName(name: string): Buffer {
  const bytes = Buffer.from(`${name}\0`, "latin1");
  return Buffer.concat([rawHeader({ name: "././@LongLink", typeFlag: "L", size: bytes.length }), padToBlock(bytes)]);
}

/** No file of the layer is one with the secret. */
async function assertConfined(context: GraphDriverContext, layer: string, target: string): Promise<void> {
  const secret = readTree(target).get("secret")?.contentHash;
  const stolen = [...(await readLayer(context, layer))].filter(([, { contentHash }]) => contentHash === secret);
  deepEqual(
    stolen.map(([path]) => path),
    [],
  );
}
