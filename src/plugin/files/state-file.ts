import { dirname } from "node:path";
import { makeFolders } from "../../files/index.ts";
import { CleatError } from "../../errors/index.ts";
import { readFileIfThere, removeFile, writeWholeFile } from "./whole-file.ts";

/** What a plugin must still know after it was killed: one JSON value, kept durably. */
export interface StateFile {
  /** @throws DATA_LOSS when the file is not JSON. */
  load(): Promise<unknown>;
  save(value: unknown): Promise<void>;
  clear(): Promise<void>;
}

/**
 * Keeps a plugin's state in `path` (mode 0600); its folder is made when something is saved. Nothing saved loads as
 * `undefined`.
 */
export function createStateFile(path: string): StateFile {
  return {
    async load() {
      const text = await readFileIfThere(path);
      if (text === undefined) return undefined;
      try {
        return JSON.parse(text) as unknown;
      } catch (error) {
        throw new CleatError("DATA_LOSS", `state file "${path}" is not JSON`, { cause: error });
      }
    },
    async save(value) {
      await makeFolders(dirname(path), 0o700);
      await writeWholeFile(path, `${JSON.stringify(value, undefined, 2)}\n`, 0o600);
    },
    async clear() {
      if ((await readFileIfThere(path)) !== undefined) await removeFile(path);
    },
  };
}
