import { existsSync } from "node:fs";
import { isSystemError } from "../../errors/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import { kindOf } from "./store-entries.ts";

/** The folder by which each driver's layout is known. */
const marks = [
  ["l", "overlay2"],
  ["subvolumes", "btrfs"],
  ["dir", "vfs"],
] as const;

/** The driver whose store lies in a folder, by its layout; `undefined` for what is no store. */
export function recognizeHome(home: string): string | undefined {
  if (!existsSync(home)) return undefined;
  try {
    return withFolderAt(home, (folder) => marks.find(([name]) => kindOf(folder, name) === "folder")?.[1]);
  } catch (error) {
    if (isSystemError(error, "ENOTDIR", "ENOENT", "EACCES")) return undefined;
    throw error;
  }
}
