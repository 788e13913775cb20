import { readdirSync, lstatSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runCommand } from "../../test/harness/processes/command.ts";

const kib = 1024;

/** Three layers as images have them, of files that this machine has. */
export const layerKinds = [
  { name: "small files", folder: "/usr/share", count: 15_010, minBytes: 0, maxBytes: 64 * kib },
  { name: "large files", folder: "/usr/lib", count: 746, minBytes: 48 * kib, maxBytes: 1024 * kib },
  { name: "headers", folder: "/usr/include", count: 4_000, minBytes: 0, maxBytes: 1024 * kib },
] as const;

export type LayerName = (typeof layerKinds)[number]["name"];

/**
 * Writes an archive of each into `folder`; the paths. The first files by name, so that one machine has the same in
 * every run.
 */
export async function writeLayers(folder: string): Promise<Readonly<Record<LayerName, string>>> {
  const written: [LayerName, string][] = [];
  for (const kind of layerKinds) {
    const [list, archive] = ["list", "tar"].map((ending) => join(folder, `${kind.name.replace(" ", "-")}.${ending}`));
    writeFileSync(list!, chooseFiles(kind).join("\0"));
    const plain = ["--no-recursion", "--numeric-owner", "--directory=/", "--null", `--files-from=${list}`];
    await runCommand(["tar", "--create", `--file=${archive}`, ...plain]);
    written.push([kind.name, archive!]);
  }
  return Object.fromEntries(written) as Record<LayerName, string>;
}

/** Each folder before what lies in it, relative to the root. */
function chooseFiles({ folder, count, minBytes, maxBytes }: (typeof layerKinds)[number]): readonly string[] {
  const chosen = new Set<string>();
  let files = 0;
  for (const path of filesBelow(folder)) {
    const { size, nlink } = lstatSync(path);
    if (size < minBytes || size > maxBytes || nlink > 1) continue;
    for (const parent of foldersOf(path)) chosen.add(parent);
    chosen.add(path.slice(1));
    if (++files === count) return [...chosen];
  }
  throw new Error(`${folder} has ${files} files of ${minBytes} to ${maxBytes} bytes, not ${count}`);
}

function* filesBelow(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

function foldersOf(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === "/" ? [] : [...foldersOf(parent), parent.slice(1)];
}
