import { lstat, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { socketPathExcess } from "./socket-path.ts";

it("counts the bytes that are too many", () => {
  expect(socketPathExcess("/".padEnd(107, "x"))).toBe(0);
  expect(socketPathExcess("/".padEnd(108, "x"))).toBe(1);
  expect(socketPathExcess(`/${"ü".repeat(60)}`)).toBe(14);
});

it("lets pass the longest path that a server gets as it is", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-"));
  const path = join(folder, "x").padEnd(107, "x");
  const server = createServer();
  try {
    expect(socketPathExcess(path)).toBe(0);
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
    expect((await lstat(path)).isSocket()).toBe(true);
  } finally {
    server.close();
    await rm(folder, { recursive: true });
  }
});
