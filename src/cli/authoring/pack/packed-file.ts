/** A file of what is packed. */
export interface PackedFile {
  /** Relative, without ".": "usr/lib/mine/package.json". */
  readonly path: string;
  readonly content: Buffer;
  readonly isExecutable: boolean;
}

/** The folders that files lie in, uppermost first, in one order whatever the files'. */
export function foldersOf(files: readonly Pick<PackedFile, "path">[]): readonly string[] {
  const folders = new Set<string>();
  for (const { path } of files) {
    const parts = path.split("/").slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) folders.add(parts.slice(0, depth).join("/"));
  }
  return [...folders].toSorted();
}

/** The same bytes whatever order a folder was read in. */
export function inOrder(files: readonly PackedFile[]): readonly PackedFile[] {
  return files.toSorted((one, other) => (one.path < other.path ? -1 : 1));
}
