import { spawn } from "node:child_process";
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

it.each<[what: string, argv: string[], options: string[] | undefined]>([
  ["Cleat", ["serve", "snapshotter", "--diff", "--root=/r"], ["--diff", "--root=/r"]],
  ["somebody else", ["stargz"], undefined],
])("what %s that listens was started with", async (_, argv, options) => {
  const path = join(folder, "snapshotter.sock");
  const script = `const made = "${path}.made";
    require("node:net").createServer().listen(made, () => {
      require("node:fs").renameSync(made, "${path}");
      console.log("ready");
    });`;
  const child = spawn(process.execPath, ["-e", script, ...argv], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await once(child.stdout, "data");
    expect(await facts.optionsOf(path)).toEqual(options);
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});

it("nobody who listens was started with nothing", async () => {
  expect(await facts.optionsOf(join(folder, "none.sock"))).toBeUndefined();
});
