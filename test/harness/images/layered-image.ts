import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { writeBaseArchive } from "./base-image.ts";
import { writeImageArchive } from "./image-archive.ts";

/** The image in `writeLayeredArchive`'s archive. */
export const layeredImage = "localhost/layered:latest";

/** What the image shows if its whiteouts are understood, and what it shows if they are not, as `listTree` names it. */
export const layeredSigns = {
  present: ["./layers/replaced/fresh", "./layers/became-folder/inside", "./layers/added/deep/file"],
  gone: ["./layers/replaced/one", "./layers/deleted", "./layers/deleted-folder", "./layers/became-file/one"],
};

/**
 * Writes an archive, for `docker load` and `ctr images import`, of an image of three layers: the base image, one that
 * adds `/layers`, and one that deletes and replaces in there.
 */
export async function writeLayeredArchive(archive: string): Promise<void> {
  const base = `${archive}.base`;
  await writeBaseArchive(base);
  await writeImageArchive(archive, layeredImage.replace(/:.*/, ""), [
    { name: "base", archive: base },
    { name: "additions", fill: (tree) => writeFiles(`${tree}/layers`, additions) },
    { name: "changes", fill: (tree) => writeFiles(`${tree}/layers`, changes) },
  ]);
}

export const slowImage = "localhost/slow:latest";

/** Writes an archive of an image that takes long enough to unpack for something to happen meanwhile. */
export async function writeSlowArchive(archive: string): Promise<void> {
  const names = Array.from({ length: 1_500 }, (_, index) => `${index % 100}/${index}`);
  await writeImageArchive(archive, slowImage.replace(/:.*/, ""), [
    { name: "few", fill: (tree) => writeFiles(`${tree}/few`, ["one"]) },
    { name: "many", fill: (tree) => writeFiles(`${tree}/many`, names) },
  ]);
}

const additions = [
  "kept",
  "modified",
  "deleted",
  "deleted-folder/one",
  "replaced/one",
  "replaced/two",
  "became-folder",
  "became-file/one",
];

const changes = [
  ".wh.deleted",
  ".wh.deleted-folder",
  "modified",
  "replaced/.wh..wh..opq",
  "replaced/fresh",
  "replaced/two",
  "became-folder/inside",
  "became-file",
  "added/deep/file",
];

/** Markers of deletion are empty, other files hold their name. */
async function writeFiles(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = `${folder}/${name}`;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, name.includes(".wh.") ? "" : `${name}\n`);
  }
}
