import { createServer, type Server } from "node:net";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parseVersion } from "../config/versions.ts";
import { type ContainerdFacts, gatherContainerdFacts } from "./containerd-facts.ts";

let folder: string;
let facts: ContainerdFacts;
let server: Server | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-facts-"));
  const configPath = join(folder, "config.toml");
  const found = { versionText: "2.1.9", version: parseVersion("2.1.9"), program: undefined, configPath };
  facts = await gatherContainerdFacts({ ...found, isRunning: false }, join(folder, "containerd.sock"));
});
afterEach(async () => {
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

it.each<[what: string, serve: (() => Server) | undefined, failure: RegExp]>([
  ["nobody is", undefined, /^ENOENT$/],
  ["somebody listens who hangs", () => createServer((socket) => void socket.resume().unref()), /no answer within/],
  ["somebody hangs up", () => createServer((socket) => socket.end()), /./],
])("a socket does not answer where %s", async (_, serve, failure) => {
  const path = join(folder, "snapshotter.sock");
  server = serve?.().listen(path);
  if (server !== undefined) await once(server, "listening");
  expect(await facts.socketFailure(path)).toMatch(failure);
});
