import type { CommandContext } from "./command.ts";

/** A terminal that is stopped, or a reader that hangs, costs no more memory than this. */
const maxWaitingBytes = 16 * 1024 * 1024;

export interface LinePrinter {
  /** Lines that wait for a reader beyond 16 MiB are left out. */
  line(text: string): void;
  /** Says how many were. */
  close(): void;
}

/** Prints what comes by itself, and cannot be told to wait for a slow reader of stdout. */
export function createLinePrinter({ stdout, stderr }: Pick<CommandContext, "stdout" | "stderr">): LinePrinter {
  let leftOut = 0;
  return {
    line(text) {
      if (stdout.writableLength < maxWaitingBytes) stdout.write(`${text}\n`);
      else if (leftOut++ === 0) stderr.write("cleat: stdout is read too slowly; some calls are not printed\n");
    },
    close() {
      if (leftOut > 0) stderr.write(`cleat: calls that were not printed: ${leftOut}\n`);
    },
  };
}
