import { readFileSync } from "node:fs";
import { isSystemError } from "../../errors/index.ts";

/** Names of ids, for the name fields of an archive. */
export interface UserNames {
  user(uid: number): Buffer;
  group(gid: number): Buffer;
}

const noName = Buffer.alloc(0);

/** Leaves the fields empty, as moby from v23 on does (`archive.FileInfoHeaderNoLookups`). */
export const noUserNames: UserNames = { user: () => noName, group: () => noName };

/**
 * The host's own names, which moby up to v20.10 writes into every layer it archives, so that digests are equal only
 * with them. The first line of an id wins. Source: Go 1.19 `archive/tar/stat_unix.go`, `os/user/lookup_unix.go`.
 */
export function readUserNames(passwdPath = "/etc/passwd", groupPath = "/etc/group"): UserNames {
  const users = readNameColumn(passwdPath);
  const groups = readNameColumn(groupPath);
  return { user: (uid) => users.get(uid) ?? noName, group: (gid) => groups.get(gid) ?? noName };
}

function readNameColumn(path: string): Map<number, Buffer> {
  const names = new Map<number, Buffer>();
  for (const line of readLines(path)) {
    const [name, , id] = line.split(":");
    if (name === undefined || name === "" || "+-#".includes(name.charAt(0)) || id === undefined || !/^\d+$/.test(id))
      continue;
    if (!names.has(Number(id))) names.set(Number(id), Buffer.from(name));
  }
  return names;
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return [];
    throw error;
  }
}
