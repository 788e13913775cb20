/**
 * A change that was refused, since the disk did not take it, and that the kernel still shows: `lost-append.mjs FOLDER`
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

import { z } from "zod";

import { openStore } from "cleat/state";

const [folder] = process.argv.slice(2);
const image = `${folder}/image`;
execFileSync("truncate", ["--size", "32M", image]);
execFileSync("mkfs.ext4", ["-q", "-b", "4096", image]);
execFileSync("mkdir", [`${folder}/disk`]);
execFileSync("mount", ["-o", "loop", image, `${folder}/disk`]);

const open = () => openStore({ folder: `${folder}/disk/state`, tables: { notes: z.string() } });
const namesOf = ({ tables }) => Array.from(tables.notes.entries(), ([name]) => name);

let store = await open();
await store.tables.notes.put("kept", "k");
await store.tables.notes.put("refused", "r".repeat(10_000));
await store.close();
assert.match(readFileSync(`${folder}/disk/state/records`, "utf8"), /refused/);

// As a write leaves it that has failed: the page is clean, and the disk has nothing of it.
const onDisk = readFileSync(image);
const at = onDisk.indexOf("r".repeat(1_000));
assert.ok(at > 0, "the journal is not in the image");
writeFileSync(image, onDisk.fill(0, at, at + 1_000));
assert.match(readFileSync(`${folder}/disk/state/records`, "utf8"), /r{1000}/);

store = await open();
assert.deepEqual(namesOf(store), ["kept"]);
assert.ok(store.tornBytes > 10_000);
await store.tables.notes.put("next", "n");
await store.close();

execFileSync("umount", [`${folder}/disk`]);
execFileSync("mount", ["-o", "loop", image, `${folder}/disk`]);
store = await open();
assert.deepEqual(namesOf(store), ["kept", "next"]);
await store.close();
