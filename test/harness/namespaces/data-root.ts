import { basename } from "node:path";
import type { Namespace } from "./namespace.ts";

export type DataFileSystem = "btrfs" | "xfs";

/**
 * Makes a file system in a file and mounts it for an engine's data, unless the engine before left it there. The file
 * lies in the namespace's memory and takes what is written; it and the loop device go with the namespace.
 */
export async function mountDataRoot(namespace: Namespace, dataRoot: string, fileSystem: DataFileSystem): Promise<void> {
  if ((await namespace.mountsUnder(dataRoot)).includes(dataRoot)) return;
  await namespace.run(["bash", "-c", script, "data-root", dataRoot, `/run/${basename(dataRoot)}.image`, fileSystem]);
}

const script = `
  set -e
  mkdir "$1"
  truncate -s 4G "$2"
  mkfs -t "$3" -q "$2"
  mount -o loop "$2" "$1"
`;
