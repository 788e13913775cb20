import { constants, open } from "node:fs/promises";
import { CleatError } from "../../errors/index.ts";
import { lockFile } from "../../syscall/index.ts";

/**
 * Takes a root for this process, until it gives it back or ends, however it ends.
 * @throws FAILED_PRECONDITION when another has it.
 */
export async function lockRoot(path: string): Promise<{ release(): Promise<void> }> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  const file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  try {
    if (!lockFile(file.fd)) {
      throw new CleatError("FAILED_PRECONDITION", `snapshots of "${path}" are served by another process`);
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  return { release: () => file.close() };
}
