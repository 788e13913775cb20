/**
 * A program that copies, archives and unpacks the files of volumes, synchronously: a process of its own, which holds
 * nobody up and can be killed. Its order is its argument; a failure it says in JSON on standard error.
 */
import { readSync, writeFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import { archiveWholeTree, copyTree, unpackTree, withFolderAt } from "../../layer/index.ts";
import { copyImage } from "./copy-image.ts";
import { makeFilesFolder, snapshotFilesFolder } from "./files-folder.ts";
import { hasOverlayMarks } from "./overlay-marks.ts";
import { detachThread, syncfs } from "../../syscall/index.ts";
import { formatTreeFailure, type TreeOrder } from "./tree-order.ts";

const [stdin, stdout, stderr] = [0, 1, 2] as const;
const chunk = Buffer.alloc(256 * 1024);

try {
  detachThread(); // no umask: files are made with the modes they have
  run(JSON.parse(process.argv[2] ?? "") as TreeOrder);
} catch (error) {
  const { code, message } = toCleatError(error);
  writeSync(stderr, formatTreeFailure({ code, message }));
  process.exitCode = 1;
}

function run(order: TreeOrder): void {
  switch (order.job) {
    case "copy":
      if (!snapshotFilesFolder(order.from, order.to)) copyFiles(order.from, order.to);
      return;
    case "copy file":
      return copyImage(order.from, order.to, order.atOnce);
    case "note unmarked":
      if (!withFolderAt(order.folder, (folder) => hasOverlayMarks(folder))) writeNote(order.note);
      return;
    case "archive":
      return withFolderAt(order.from, (folder) => archiveWholeTree(folder, { write: writeAll }));
    case "unpack":
      return withFolderAt(order.to, (folder) => {
        unpackTree({ read: readChunk }, folder);
        syncfs(folder);
      });
  }
}

function copyFiles(from: string, to: string): void {
  makeFilesFolder(to);
  withFolderAt(from, (source) =>
    withFolderAt(to, (target) => {
      copyTree(source, target);
      syncfs(target);
    }),
  );
}

function writeNote(path: string): void {
  writeFileSync(path, "", { mode: 0o600 });
  withFolderAt(dirname(path), syncfs);
}

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    at += retried(() => writeSync(stdout, bytes, at));
  }
}

function readChunk(): Uint8Array | undefined {
  const count = retried(() => readSync(stdin, chunk));
  return count === 0 ? undefined : chunk.subarray(0, count);
}

/** A pipe or terminal that another made non-blocking has nothing yet, or no room. */
function retried(call: () => number): number {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (isSystemError(error, "EAGAIN")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      else if (isSystemError(error, "EPIPE")) throw new CleatError("CANCELLED", "who reads the archive has gone");
      else throw error;
    }
  }
}
