import { mkdir, writeFile } from "node:fs/promises";
import { shellLayer, type LayerRecipe } from "../../test/harness/images/image-archive.ts";
import { incompressibleBytes } from "./incompressible.ts";

const foldersPerLayer = 100;
const filesPerFolder = 50;
const largeFiles = 10;
const largeFileBytes = 8 * 1024 * 1024;
const maxSmallFileBytes = 8 * 1024;

/** A shell, 20,000 small files (200 bytes to 8 KiB) in four layers, and a layer of ten large ones. */
export const largeImage: readonly LayerRecipe[] = [
  shellLayer,
  ...["one", "two", "three", "four"].map((name) => ({ name, fill: (tree: string) => makeSmallFiles(tree, name) })),
  { name: "large", fill: makeLargeFiles },
];

async function makeSmallFiles(tree: string, layer: string): Promise<void> {
  const bytes = incompressibleBytes(2 * maxSmallFileBytes);
  for (let folder = 0; folder < foldersPerLayer; folder++) {
    const path = `${tree}/usr/share/layer-${layer}/folder-${folder}`;
    await mkdir(path, { recursive: true });
    for (let file = 0; file < filesPerFolder; file++) {
      // Any fixed scatter will do; most files of a real image are a few kilobytes.
      const sizeBytes = 200 + ((folder * 7919 + file * 104_729) % (maxSmallFileBytes - 200));
      await writeFile(`${path}/file-${file}`, bytes.subarray(file, file + sizeBytes));
    }
  }
}

async function makeLargeFiles(tree: string): Promise<void> {
  await mkdir(`${tree}/opt`);
  const bytes = incompressibleBytes(largeFileBytes);
  for (let file = 0; file < largeFiles; file++) await writeFile(`${tree}/opt/large-${file}`, bytes);
}
