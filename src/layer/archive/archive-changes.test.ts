import { linkSync, renameSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";

import { statat } from "../../syscall/index.ts";
import type { LayerChange } from "../changes/layer-change.ts";
import { useScratch } from "../tree/trees.test.support.ts";
import { withFolderAt } from "../tree/with-folder.ts";
import { archiveChanges } from "./archive-changes.ts";

const scratch = useScratch();

/** The names in an archive of small files, each with its content, or the name that it is a link to. */
function entriesOf(archive: Buffer): Record<string, string> {
  const entries: Record<string, string> = {};
  for (let at = 0; archive[at];) {
    const text = (from: number, length: number) => archive.toString("latin1", at + from, at + from + length);
    const [name = ""] = text(0, 100).split("\0");
    const sizeBytes = Number.parseInt(text(124, 12), 8);
    entries[name] = text(156, 1) === "1" ? `-> ${text(157, 100).split("\0")[0]}` : text(512, sizeBytes);
    at += 512 + Math.ceil(sizeBytes / 512) * 512;
  }
  return entries;
}

/** Archives the names of one file, `kept` unchanged and `taken` and `last` added, in the order of `names`. */
function archiveOf(names: readonly string[], exchange: () => void): Record<string, string> {
  const parts: Buffer[] = [];
  withFolderAt(scratch.folder("tree"), (folder) => {
    function* listChanges(): Generator<LayerChange> {
      const listed = names.map((path) => ({ path, folder, base: Buffer.from(path) }));
      const changes = listed.map((one) => ({ ...one, status: statat(folder, one.base) }));
      exchange();
      for (const change of changes) yield { ...change, kind: change.path === "kept" ? "same" : "added" };
    }
    archiveChanges(listChanges(), folder, { write: (bytes) => void parts.push(Buffer.from(bytes)) });
  });
  return entriesOf(Buffer.concat(parts));
}

it.each([
  ["before it", ["kept", "taken", "last"]],
  ["after it", ["taken", "kept", "last"]],
  ["last", ["taken", "last", "kept"]],
])("another file that takes a changed name gives nothing to a name that did not change and comes %s", (_, names) => {
  const path = (name: string): string => `${scratch.folder("tree")}/${name}`;
  writeFileSync(path("kept"), "of all three");
  for (const name of ["taken", "last"]) linkSync(path("kept"), path(name));
  writeFileSync(path("other"), "another's");
  linkSync(path("other"), path("further"));
  const archived = archiveOf(names, () => renameSync(path("other"), path("taken")));
  expect(archived).toEqual({ taken: "another's", last: "of all three", kept: "-> last" });
});
