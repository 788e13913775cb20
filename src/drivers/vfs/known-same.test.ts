import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

import type { FileStatus } from "../../syscall/index.ts";
import type { Stamp } from "../../graphdriver/home/records/layer-record.ts";
import { withKnownSame } from "./known-same.ts";

let home: string;
let tree: number;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "known-same-"));
  mkdirSync(`${home}/.cleat/layers`, { recursive: true });
  tree = openSync(home, "r");
});
afterEach(() => {
  closeSync(tree);
  rmSync(home, { recursive: true });
});

/** Seconds into a time to come, before which the folder of this test was made. */
const later = 2 ** 40;
const copied = { from: [later + 100, 500], to: [later + 103, 0] };
const record = { version: 1, parent: "base", source: null, copied };

const at = ([seconds, ctimeNanoseconds]: Stamp) => ({ ctimeSeconds: later + seconds, ctimeNanoseconds }) as FileStatus;

function isKnown(text: string, newer: Stamp, older: Stamp, parent = "base"): boolean | undefined {
  writeFileSync(`${home}/.cleat/layers/work`, text);
  return withKnownSame({ home, id: "work", parent, newer: tree, older: tree }, (isKnownSame) =>
    isKnownSame?.("file", at(newer), at(older)),
  );
}

it.each([
  ["copied, of a file from before", [101, 0], [99, 0], true],
  ["copied in the first tick", [100, 500], [100, 499], true],
  ["touched before the copy began", [100, 499], [99, 0], false],
  ["stamped with the last tick, which writers may have too", [103, 0], [99, 0], false],
  ["written afterwards", [200, 0], [99, 0], false],
  ["copied, of a file that was written since", [101, 0], [150, 0], false],
  ["copied, of a file that was written in the same tick", [101, 0], [100, 500], false],
] as const)("a file that was %s", (_, newer, older, expected) => {
  expect(isKnown(JSON.stringify(record), [...newer], [...older])).toBe(expected);
});

it.each([
  ["of another parent", JSON.stringify({ ...record, parent: "other" })],
  ["on a file system whose stamps are not trusted", JSON.stringify({ ...record, copied: null })],
  ["that is damaged", '{"version": 1, "par'],
  ["that is empty", ""],
  ["of a later version", JSON.stringify({ ...record, version: 2 })],
])("a record %s tells nothing", (_, text) => {
  expect(isKnown(text, [101, 0], [99, 0])).toBeUndefined();
});
