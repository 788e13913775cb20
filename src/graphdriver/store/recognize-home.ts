import { existsSync } from "node:fs";
import { isSystemError } from "../../errors/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import { ownFolder } from "../home.ts";
import { kindOf, readJsonAt } from "./store-entries.ts";

/** The folder by which each driver's layout is known. */
const marks = [
  ["l", "overlay2"],
  ["subvolumes", "btrfs"],
  ["dir", "vfs"],
] as const;

/** In which a driver of Cleat's writes down whose layers a home holds: `{"version": 1, "driver": "overlay2"}`. */
export const driverFile = `${ownFolder}/driver.json`;

/** The driver whose store lies in a folder, as is written down there or by its layout; `undefined` for what is no store. */
export function recognizeHome(home: string): string | undefined {
  if (!existsSync(home)) return undefined;
  try {
    return withFolderAt(home, (folder) => {
      const { version, driver } = readJsonAt(folder, driverFile) ?? {};
      if (version === 1 && typeof driver === "string") return driver;
      return marks.find(([name]) => kindOf(folder, name) === "folder")?.[1];
    });
  } catch (error) {
    if (isSystemError(error, "ENOTDIR", "ENOENT", "EACCES")) return undefined;
    throw error;
  }
}
