import { deepEqual } from "node:assert/strict";
import type { GraphDriver } from "../../../../graphdriver/index.ts";
import { readTree } from "../../../tree/read-tree.ts";
import { buildArchive } from "../../../archive/build-archive.ts";
import { file } from "../../../archive/entry.ts";
import { streamOf } from "../../../archive/stream.ts";
import type { GraphDriverCheck } from "../../check.ts";

/** What must never become part of a path. */
const badIds: readonly [id: string, title: string, value: string][] = [
  ["empty", "that is empty", ""],
  ["slash", "with a slash", "a/b"],
  ["absolute", "that is an absolute path", "/etc"],
  ["parent-folder", "that is ..", ".."],
  ["climbing", "that climbs", "../../../../tmp/escaped"],
  ["this-folder", "that is .", "."],
  ["leading-dot", "with a dot in front", ".hidden"],
  ["nul", "with a NUL", "a\0b"],
  ["long", "of 300 characters", "x".repeat(300)],
  ["query", "that adds to a query", "a&parent=b"],
  ["newline", "with a line break", "a\nb"],
  ["colon", "with mount's separators", "a:b,c"],
];

/** Every method that is given an id. */
const calls: readonly ((driver: GraphDriver, id: string) => Promise<unknown>)[] = [
  (driver, id) => driver.create(id, {}),
  (driver, id) => driver.createReadWrite(id, {}),
  (driver, id) => driver.remove(id),
  (driver, id) => driver.get(id, {}),
  (driver, id) => driver.put(id),
  (driver, id) => driver.exists(id),
  (driver, id) => driver.metadata(id),
  (driver, id) => driver.diff(id),
  (driver, id) => driver.changes(id),
  (driver, id) => driver.diffSize(id),
  (driver, id) => driver.applyDiff(id, undefined, streamOf(buildArchive([file("a", "a")]))),
];

export const identifierChecks: readonly GraphDriverCheck[] = badIds.map(([id, title, value]) => ({
  id: `id/${id}`,
  title: `an id ${title} is refused by every method, as a layer's and as a parent's`,
  async run({ driver, newId, refused, scratch }) {
    const before = readTree(scratch);
    // What a driver says of the id may be shortened or escaped, but it says that it speaks of an id.
    for (const call of calls) await refused(call(driver, value), "INVALID_ARGUMENT", "id");
    if (value !== "") {
      await refused(driver.create(newId(), { parent: value }), "INVALID_ARGUMENT", "id");
      await refused(driver.createReadWrite(newId(), { parent: value }), "INVALID_ARGUMENT", "id");
    }
    deepEqual(readTree(scratch), before);
  },
}));
