import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { defaultTarLimits, type TarLimits } from "../../tar/index.ts";
import { craftArchive, craftEntry, craftPax, gnuMagic } from "../../tar/reading/crafted.test.support.ts";
import { failureOf, useScratch } from "../tree/trees.test.support.ts";
import { withFolderAt } from "../tree/with-folder.ts";
import { applyLayer } from "./apply.ts";

const file = craftEntry({ name: "f" });
const sparse = craftPax([
  ["GNU.sparse.major", "0"],
  ["GNU.sparse.minor", "1"],
  ["GNU.sparse.size", "703"],
  ["GNU.sparse.name", "s"],
  ["GNU.sparse.numblocks", "2"],
  ["GNU.sparse.map", "2,512,700,3"],
]);
const attributes = craftPax([
  ["SCHILY.xattr.user.a", "1"],
  ["SCHILY.xattr.user.b", "2"],
]);
const longName = craftEntry({ typeFlag: "L", magic: gnuMagic }, `${"n".repeat(20)}\0`);

/** An archive that keeps to each limit but one. */
const beyond: Record<keyof TarLimits, readonly [limit: number, archive: Buffer]> = {
  maxPaxBytes: [10, craftArchive(craftPax([["comment", "more than ten bytes"]]), file)],
  maxNameBytes: [10, craftArchive(longName, file)],
  maxSparseRegions: [1, craftArchive(sparse, craftEntry({ name: "s" }, "a".repeat(515)))],
  maxXattrs: [1, craftArchive(attributes, file)],
  maxEntries: [1, craftArchive(file, craftEntry({ name: "g" }))],
  maxTrailingBytes: [100, Buffer.concat([craftArchive(file), Buffer.alloc(4096)])],
};

describe("what an archive may ask for", () => {
  const scratch = useScratch();
  const applyWithin = (archive: Buffer, limits: Partial<TarLimits>) => {
    const pieces = [archive];
    const options = { whiteouts: { kind: "delete" }, ids: { uids: [], gids: [] }, syncFiles: false, limits } as const;
    const leaveOut = () => {};
    return failureOf(() =>
      withFolderAt(scratch.folder("root"), (root) =>
        applyLayer({ read: () => pieces.shift() }, root, { ...options, leaveOut }),
      ),
    );
  };

  it.each(Object.keys(beyond) as (keyof TarLimits)[])("is bounded by %s, where that is given", (key) => {
    const [limit, archive] = beyond[key];
    expect(applyWithin(archive, { [key]: limit })?.code).toBe("INVALID_ARGUMENT");
    expect(applyWithin(archive, {})).toBeUndefined();
  });

  it("stands in the documentation with its default", () => {
    const page = readFileSync(join(import.meta.dirname, "../../../docs/graph-drivers.md"), "utf8");
    for (const [key, value] of Object.entries(defaultTarLimits))
      expect(page).toMatch(new RegExp(`\\| \`${key}\` \\| ${value.toLocaleString("en")} \\|`));
  });
});
