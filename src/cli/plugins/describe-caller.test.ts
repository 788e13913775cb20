import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { SystemError } from "../../errors/index.ts";
import { loadDescribeCaller } from "./describe-caller.ts";

let engine: Socket;
let end: () => Promise<void>;
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-caller-"));
  const server = createServer().listen(join(folder, "p.sock"));
  await once(server, "listening");
  const caller = connect(join(folder, "p.sock"));
  [engine] = (await once(server, "connection")) as [Socket];
  end = async () => {
    for (const socket of [caller, engine]) socket.destroy();
    server.close();
    await rm(folder, { recursive: true });
  };
});
afterEach(async () => {
  vi.doUnmock("../../syscall/index.ts");
  vi.resetModules();
  await end();
});

it("names the process that has connected", async () => {
  expect((await loadDescribeCaller())(engine)).toMatch(`process ${process.pid} (`);
});

it("names nobody where no descriptor is left to look with, and where there is no native code", async () => {
  const full = () => {
    throw new SystemError(24, "open", "/proc/1/stat");
  };
  for (const module of [{ peerProcess: () => 1, readProcess: full, describeProcess: full }, undefined]) {
    vi.doMock("../../syscall/index.ts", () => {
      if (module === undefined) throw new Error("system calls on this machine are not known");
      return module;
    });
    expect((await loadDescribeCaller())(engine)).toBeUndefined();
    vi.resetModules();
  }
});
