import { constants, open } from "node:fs/promises";
import { join } from "node:path";
import { CleatError } from "../errors/index.ts";
import { lockFile } from "../syscall/index.ts";

/**
 * Takes a folder for this process, until it gives it back or ends, however it ends: by flock(2) of `lock` in it. `kept`
 * is what is kept in the folder, in the plural.
 * @throws FAILED_PRECONDITION when another has it.
 */
export async function lockFolder(folder: string, kept: string): Promise<{ release(): Promise<void> }> {
  const path = join(folder, "lock");
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  const file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  try {
    if (!lockFile(file.fd)) {
      throw new CleatError("FAILED_PRECONDITION", `${kept} of "${folder}" are served by another process`);
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  return { release: () => file.close() };
}
