import { close as closeFile, createReadStream, read } from "node:fs";
import type { Readable } from "node:stream";
import { CleatError, quoteBytes, toCleatError } from "../../errors/index.ts";
import { openLayerFile } from "../../layer/index.ts";
import { close, O_DIRECTORY, O_RDONLY, openPath } from "../../syscall/index.ts";
import type { ModuleReference, WorkerPool } from "../../workers/index.ts";
import type { DiffGetter } from "../driver.ts";

/** Descriptors belong to the process, so that what a worker opened the main thread can read from and close. */
export interface DiffGetterJobs {
  openTree(path: string): number;
  openDiffFile(tree: number, path: Uint8Array): number;
}

/** Hands out the files below an absolute path of the host; `worker` has the two jobs that open. */
export async function createDiffGetter(
  path: string,
  pool: WorkerPool,
  worker: ModuleReference<DiffGetterJobs>,
): Promise<DiffGetter> {
  const tree = await pool.run(worker, "openTree", path);
  let opening = 0;
  let closed = false;
  let released: () => void;
  const whenReleased = new Promise<void>((resolve) => (released = resolve));

  /** A descriptor that is closed while a worker resolves names below it would soon be another folder's. */
  function releaseIfUnused(): void {
    if (!closed || opening > 0) return;
    close(tree);
    released();
  }

  async function closeGetter(): Promise<void> {
    if (!closed) {
      closed = true;
      releaseIfUnused();
    }
    await whenReleased;
  }

  return {
    async get(name): Promise<Readable> {
      if (closed) throw new CleatError("FAILED_PRECONDITION", "diff getter is closed");
      opening++;
      try {
        const fd = await pool.run(worker, "openDiffFile", tree, name);
        return createReadStream("", { fd, fs: { read: createRead(name), close: closeFile } });
      } finally {
        opening--;
        releaseIfUnused();
      }
    },
    close: closeGetter,
    [Symbol.asyncDispose]: closeGetter,
  };
}

/** As Node's, but that it fails with an error of the contract, about the file of that name. */
function createRead(name: Uint8Array): typeof read {
  const subject = `file ${quoteBytes(Buffer.from(name))}`;
  const named = (fd: number, buffer: Buffer, offset: number, length: number, position: number, done: ReadDone) =>
    read(fd, buffer, offset, length, position, (error, bytesRead, filled) =>
      done(error && toCleatError(error, subject), bytesRead, filled),
    );
  return named as typeof read;
}

type ReadDone = (error: Error | null, bytesRead: number, buffer: Buffer) => void;

/** Runs on a worker. */
export function openTree(path: string): number {
  return openPath(path, O_RDONLY | O_DIRECTORY);
}

/** Runs on a worker. */
export function openDiffFile(tree: number, path: Uint8Array): number {
  return openLayerFile(tree, Buffer.from(path));
}
