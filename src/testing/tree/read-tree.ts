import { createHash } from "node:crypto";
import { readSync } from "node:fs";
import { withFolder, withFolderAt } from "../../layer/index.ts";
import {
  close,
  type FileStatus,
  lgetxattr,
  llistxattr,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  procPath,
  readlinkat,
  readNames,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  statat,
} from "../../syscall/index.ts";
import type { Tree, TreeNode } from "./tree.ts";

const types: Readonly<Record<number, TreeNode["type"]>> = {
  [S_IFREG]: "file",
  [S_IFDIR]: "folder",
  [S_IFLNK]: "symlink",
  [S_IFIFO]: "fifo",
  [S_IFCHR]: "character device",
  [S_IFBLK]: "block device",
  [S_IFSOCK]: "socket",
};

/** Reads all that lies below the folder at `path`, contents included. Blocks. */
export function readTree(path: string): Tree {
  const tree = new Map<string, TreeNode>();
  const namesOf = new Map<string, string[]>();
  withFolderAt(path, (folder) => readBelow(folder, "", tree, namesOf));
  for (const names of namesOf.values()) {
    names.sort();
    for (const name of names) if (names.length > 1) tree.set(name, { ...(tree.get(name) as TreeNode), names });
  }
  return tree;
}

function readBelow(folder: number, prefix: string, tree: Map<string, TreeNode>, namesOf: Map<string, string[]>): void {
  for (const name of readNames(folder)) {
    const path = prefix + name.toString("latin1");
    const status = statat(folder, name);
    const node = readNode(folder, name, status);
    tree.set(path, node);
    if (node.type === "folder") withFolder(folder, name, (child) => readBelow(child, `${path}/`, tree, namesOf));
    else if (status.links > 1) {
      const inode = `${status.fileSystem}:${status.inode}`;
      namesOf.set(inode, [...(namesOf.get(inode) ?? []), path]);
    }
  }
}

function readNode(folder: number, name: Buffer, status: FileStatus): TreeNode {
  const type = types[status.mode & S_IFMT] ?? "socket";
  const isDevice = type === "character device" || type === "block device";
  return {
    type,
    mode: status.mode & 0o7777,
    uid: status.uid,
    gid: status.gid,
    sizeBytes: type === "file" || type === "symlink" ? status.sizeBytes : 0,
    mtimeNs: BigInt(status.mtimeSeconds) * 1_000_000_000n + BigInt(status.mtimeNanoseconds),
    xattrs: readAttributes(procPath(folder, name)),
    ...(type === "file" && { contentHash: hashFile(folder, name) }),
    ...(type === "symlink" && { target: readlinkat(folder, name).toString("latin1") }),
    ...(isDevice && { device: `${status.deviceMajor}:${status.deviceMinor}` }),
  };
}

/**
 * Attributes of the host's security module and of overlay's bookkeeping are no part of a layer. xfs shows access lists
 * a second time, in its own names. Source: Linux v6.1 `fs/xfs/libxfs/xfs_da_format.h` `SGI_ACL_FILE`.
 */
const notOfLayers = /^(?:security\.(?:selinux|ima|evm)|(?:trusted|user)\.overlay\.|trusted\.SGI_ACL_)/;

function readAttributes(path: Buffer): Record<string, string> {
  const names = llistxattr(path)
    .filter((name) => !notOfLayers.test(name))
    .toSorted();
  return Object.fromEntries(names.map((name) => [name, lgetxattr(path, name)?.toString("hex") ?? ""]));
}

const buffer = Buffer.alloc(64 * 1024);

function hashFile(folder: number, name: Buffer): string {
  const descriptor = openat(folder, name, O_RDONLY | O_NOFOLLOW);
  try {
    const hash = createHash("sha256");
    for (let count = readSync(descriptor, buffer); count > 0; count = readSync(descriptor, buffer)) {
      hash.update(buffer.subarray(0, count));
    }
    return hash.digest("hex");
  } finally {
    close(descriptor);
  }
}
