import { open } from "node:fs/promises";

/** Makes the names in a folder survive power loss. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}
