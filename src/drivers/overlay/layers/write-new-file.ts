import { writeFileSync } from "node:fs";
import { close, fsync, O_CREAT, O_EXCL, O_WRONLY, openat } from "../../../syscall/index.ts";

/** Makes a small file of a layer in its open folder. */
export function writeNewFile(folder: number, name: string, text: string, durable: boolean): void {
  const file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL, 0o644);
  try {
    writeFileSync(file, text);
    if (durable) fsync(file);
  } finally {
    close(file);
  }
}
