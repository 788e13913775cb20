/** What one reads of `cleat snapshots` where an engine or the snapshotter is not what it should be. */
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { introspectionService, namespacesService } from "../../../containerd/index.ts";
import { implementService, type RunningGrpcServer, serveGrpc } from "../../../grpc/index.ts";
import { cleat, folder } from "../../run.test.support.ts";

/** A containerd that knows the snapshotters "overlayfs" and "cleat". */
let containerd: RunningGrpcServer;
let socket: string;
beforeEach(async () => {
  socket = join(folder, "containerd.sock");
  const notAsked = (): never => {
    throw new Error("this containerd has no such method");
  };
  const namespaces = { get: notAsked, create: notAsked, update: notAsked, delete: notAsked };
  const plugins = ["overlayfs", "cleat"].map((id) => ({ type: "io.containerd.snapshotter.v1", id }));
  containerd = await serveGrpc({
    services: [
      implementService(namespacesService, { ...namespaces, list: async () => ({ namespaces: [{ name: "default" }] }) }),
      implementService(introspectionService, { plugins: async () => ({ plugins }), server: notAsked }),
    ],
    async listen(server) {
      await once(server.listen(socket), "listening");
      return { address: `unix://${socket}`, remove: async () => {} };
    },
  });
});
afterEach(() => containerd.close());

const snapshots = (...words: string[]) => cleat(["snapshots", ...words, "--containerd", socket]);

it.each(["ls", "tree", "du", "repair", "gc"])("%s of a name that containerd does not know", async (command) => {
  expect(await snapshots(command, "--snapshotter", "clete")).toEqual({
    code: 1,
    out: "",
    err: 'cleat: containerd has no snapshotter "clete": cleat config containerd --write, then restart containerd\n',
  });
});

it.each(["ls", "tree", "du", "repair", "gc"])("%s of a snapshotter that does not run", async (command) => {
  const { code, out, err } = await snapshots(command, "--socket", join(folder, "none.sock"));
  expect(err).toMatch(/^cleat: no connection to unix:\S+none\.sock: .*; start cleat serve snapshotter\n$/);
  expect({ code, out }).toEqual({ code: 3, out: "" });
});

it.each(["ls", "tree", "du", "repair", "gc"])("%s where containerd does not run", async (command) => {
  await containerd.close();
  const { code, out, err } = await snapshots(command);
  expect(err).toMatch(/^cleat: no connection to unix:\S+containerd\.sock: .*; start containerd\n$/);
  expect({ code, out }).toEqual({ code: 3, out: "" });
});

it.each(["ls", "tree", "du", "repair", "gc"])("%s of a containerd that hangs ends after 10 s", async (command) => {
  await using hung = createServer();
  await once(hung.listen(join(folder, "hung.sock")), "listening");
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const connected = once(hung, "connection");
    const answer = cleat(["snapshots", command, "--containerd", join(folder, "hung.sock")]);
    const [socket] = (await connected) as [Socket];
    await vi.advanceTimersByTimeAsync(10_000);
    const { code, err } = await answer;
    expect(err).toMatch(/^cleat: \S+ on unix:\S+hung\.sock gave no answer within 10000 ms\n$/);
    expect(code).toBe(3);
    socket.destroy();
  } finally {
    vi.useRealTimers();
  }
});

it("a containerd that only root may call", async () => {
  await chmod(socket, 0);
  const isRoot = process.geteuid?.() === 0;
  await chmod(folder, 0o755);
  if (isRoot) process.seteuid?.(65_534);
  try {
    expect(await snapshots("ls")).toEqual({
      code: 3,
      out: "",
      err: `cleat: no connection to unix://${socket}: connect EACCES ${socket}\nTry it as root.\n`,
    });
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});
