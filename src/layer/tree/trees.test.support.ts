/** Archives and trees for the tests of layers, which run on the main thread. Not published. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

import { close, lgetxattr, llistxattr, mkdirat, O_RDONLY, openat, openPath } from "../../syscall/index.ts";
import { createTarHeader, encodeTarHeader, tarEndBlocks, tarPaddingBytes, type TarHeader } from "../../tar/index.ts";
import { applyLayer } from "../apply/apply.ts";
import type { ArchiveDialect } from "../archive/archive-dialect.ts";
import { archiveTree } from "../archive/archive-tree.ts";
import type { IdRanges } from "../entry/id-map.ts";
import { removeTree } from "./remove-tree.ts";
import type { WhiteoutConvention } from "../entry/whiteout.ts";
import { withFolderAt } from "./with-folder.ts";

export type Entry = Omit<Partial<TarHeader>, "name" | "linkName" | "sizeBytes"> & {
  readonly name: string | Buffer;
  readonly linkName?: string;
  readonly content?: string;
};

const ours = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const defaultModes: Partial<Record<TarHeader["type"], number>> = { directory: 0o755, symlink: 0o777 };

/** An archive of entries that belong to this process and are from 1970 where they do not say otherwise. */
export function archiveOf(...entries: readonly Entry[]): Buffer {
  const parts = entries.flatMap(({ name, linkName = "", content = "", ...given }) => {
    const bytes = Buffer.from(content);
    const mode = defaultModes[given.type ?? "file"] ?? 0o644;
    const names = { name: toBytes(name), linkName: toBytes(linkName) };
    const header = createTarHeader({ mode, ...ours, ...given, ...names, sizeBytes: bytes.length });
    return [encodeTarHeader(header), bytes, Buffer.alloc(tarPaddingBytes(bytes.length))];
  });
  return Buffer.concat([...parts, tarEndBlocks]);
}

/** Texts are byte strings, one character a byte. */
function toBytes(text: string | Buffer): Buffer {
  return typeof text === "string" ? Buffer.from(text, "latin1") : text;
}

const noIds: IdRanges = { uids: [], gids: [] };
export const deleting: WhiteoutConvention = { kind: "delete" };
export const overlay: WhiteoutConvention = { kind: "overlay", attributePrefix: "trusted." };

/** Applies an archive that arrives in pieces; the size that it reports. */
export function apply(root: string, bytes: Buffer, whiteouts = deleting, ids = noIds, pieceBytes = 10_000): number {
  const umask = process.umask(0);
  let at = 0;
  const read = (): Buffer | undefined => (at < bytes.length ? bytes.subarray(at, (at += pieceBytes)) : undefined);
  try {
    return withFolderAt(root, (folder) => applyLayer({ read }, folder, { whiteouts, ids, syncFiles: false }));
  } finally {
    process.umask(umask);
  }
}

export function archive(
  root: string,
  whiteouts = deleting,
  ids = noIds,
  archiveDialect: ArchiveDialect = "docker-26",
): Buffer {
  const parts: Buffer[] = [];
  const write = (bytes: Uint8Array): void => void parts.push(Buffer.from(bytes));
  withFolderAt(root, (folder) => archiveTree(folder, { write }, { whiteouts, ids, archiveDialect }));
  return Buffer.concat(parts);
}

/**
 * What is below a folder, a line for each name; names as byte strings, further names of a file with the first of them.
 */
export function readTree(root: string, options: { readonly times?: boolean } = {}): Record<string, string> {
  const { times = true } = options;
  const tree: Record<string, string> = {};
  const first = new Map<bigint, string>();
  for (const name of namesBelow(root, "")) {
    const path = Buffer.from(`${root}/`).toString("latin1") + name;
    const bytes = Buffer.from(path, "latin1");
    const stat = fs.lstatSync(bytes, { bigint: true });
    const earlier = stat.isDirectory() ? undefined : first.get(stat.ino);
    if (earlier === undefined) first.set(stat.ino, name);
    const xattrs = llistxattr(bytes).map((key) => `${key}=${lgetxattr(bytes, key)?.toString("hex")}`);
    tree[name] = [
      (Number(stat.mode) & 0o177777).toString(8),
      `${stat.uid}:${stat.gid}`,
      ...(times ? [String(stat.mtimeNs)] : []),
      ...(earlier === undefined ? [contentOf(bytes, stat)] : [`is ${earlier}`]),
      ...xattrs.toSorted(),
    ].join(" ");
  }
  return tree;
}

function contentOf(path: Buffer, stat: fs.BigIntStats): string {
  if (stat.isSymbolicLink()) return `-> ${fs.readlinkSync(path, "latin1")}`;
  if (stat.isFile())
    return JSON.stringify(stat.size > 10_000n ? `${stat.size} bytes` : fs.readFileSync(path, "latin1"));
  return stat.isDirectory() ? "" : `device ${stat.rdev}`;
}

function namesBelow(root: string, folder: string): string[] {
  const path = Buffer.from(Buffer.from(`${root}/`).toString("latin1") + folder, "latin1");
  const entries = fs.readdirSync(path, { encoding: "buffer", withFileTypes: true });
  return entries
    .map((entry) => ({ isFolder: entry.isDirectory(), name: folder + toBytes(entry.name).toString("latin1") }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ isFolder, name }) => (isFolder ? [name, ...namesBelow(root, `${name}/`)] : [name]));
}

/** A folder for each test; tests that need no other file system call this once, and `path` while they run. */
export function useScratch(below = tmpdir()): { path(...names: string[]): string; folder(name: string): string } {
  let scratch: string;
  beforeEach(() => {
    scratch = fs.mkdtempSync(join(below, "cleat-layer-"));
  });
  afterEach(() => withFolderAt(below, (folder) => removeTree(folder, scratch.slice(below.length + 1))));
  const path = (...names: string[]): string => join(scratch, ...names);
  return {
    path,
    folder(name) {
      fs.mkdirSync(path(name), { recursive: true });
      return path(name);
    },
  };
}

export function failureOf(act: () => unknown): { readonly code: string; readonly message: string } | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return error as { code: string; message: string };
  }
}

/** Makes folders in one another, called "a", also so deep that no path names the last. */
export function nest(root: string, depth: number): void {
  let folder = openPath(root, O_RDONLY);
  for (let level = 0; level < depth; level++) {
    mkdirat(folder, "a", 0o755);
    const below = openat(folder, "a", O_RDONLY);
    close(folder);
    folder = below;
  }
  close(folder);
}
