/** A pipe as an engine has it: held open for both, so that no plugin breaks it. */
import { randomUUID } from "node:crypto";
import { constants, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { close, mknodat, O_DIRECTORY, O_RDONLY, openPath, S_IFIFO } from "../../../syscall/index.ts";

export interface Pipe extends AsyncDisposable {
  readonly path: string;
  /** Some KiB at most: what the pipe has no room for is not written. */
  write(bytes: Uint8Array): Promise<void>;
}

export async function makePipe(folder: string): Promise<Pipe> {
  const name = randomUUID();
  const descriptor = openPath(folder, O_RDONLY | O_DIRECTORY);
  try {
    mknodat(descriptor, name, S_IFIFO | 0o600);
  } finally {
    close(descriptor);
  }
  const path = join(folder, name);
  const file = await open(path, constants.O_RDWR | constants.O_NONBLOCK);
  return {
    path,
    async write(bytes) {
      await file.write(bytes);
    },
    async [Symbol.asyncDispose]() {
      await file.close();
      await rm(path, { force: true });
    },
  };
}
