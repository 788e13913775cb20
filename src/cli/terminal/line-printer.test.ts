import { PassThrough, Writable } from "node:stream";
import { expect, it } from "vitest";
import { createLinePrinter } from "./line-printer.ts";

it("leaves out lines that nobody reads, instead of keeping them all, and says how many", () => {
  const stdout = new Writable({ write: () => {} }); // takes one, and never the next
  const stderr = new PassThrough();
  const printer = createLinePrinter({ stdout, stderr });
  const line = "x".repeat(1024 * 1024 - 1);
  for (let lines = 0; lines < 20; lines++) printer.line(line);
  expect(stdout.writableLength).toBe(16 * 1024 * 1024);
  printer.close();
  expect(String(stderr.read())).toBe(
    "cleat: stdout is read too slowly; some calls are not printed\ncleat: calls that were not printed: 4\n",
  );
});
