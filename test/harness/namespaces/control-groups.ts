import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../processes/until.ts";

const hierarchies = "/sys/fs/cgroup";
/** Removes the control group `name` from every hierarchy, once the processes that are being killed have left it. */
export async function removeControlGroups(name: string): Promise<void> {
  const roots = [hierarchies, ...(await foldersIn(hierarchies))];
  await Promise.all(roots.map((root) => until(`${root}${name} to be empty`, () => removeTree(join(root, name)))));
}

/** Returns true when the group is gone. Its files are the kernel's; only the folders can and must be removed. */
async function removeTree(path: string): Promise<true | undefined> {
  for (const child of await foldersIn(path)) await removeTree(child);
  try {
    await rmdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EBUSY") return undefined;
  }
  return true;
}

async function foldersIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name));
}
