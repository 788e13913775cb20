import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { serveGrpc } from "../../../src/grpc/index.ts";
import { createSnapshotsService, openSnapshotter } from "../../../src/snapshotter/index.ts";
import { createMemoryStorage, createPlaces } from "../../../src/snapshotter/conformance/memory-storage.test.support.ts";
import { describeWith, needs } from "../../needs.ts";
import { buildGoProgram, debianGo } from "../go-program.ts";
import { containerdSource } from "./source.ts";

interface Outcome {
  readonly error?: string;
  readonly code?: string;
  readonly value?: unknown;
  readonly before: string;
  readonly after: string;
}

describeWith([needs.go, containerdSource], "containerd's client of proxy snapshotters", () => {
  let folder: string;
  let program: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cleat-proxy-"));
    program = await buildGoProgram(join(import.meta.dirname, "proxy"), folder, [debianGo]);
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function start() {
    const root = await mkdtemp(join(folder, "root-"));
    const storage = createMemoryStorage(createPlaces());
    const snapshotter = await openSnapshotter({ root: join(root, "records"), storage });
    const path = join(root, "s.sock");
    const serve = () =>
      serveGrpc({
        services: [createSnapshotsService(snapshotter)],
        async listen(server) {
          await once(server.listen(path), "listening");
          return { address: path, remove: async () => {} };
        },
      });
    let server = await serve();
    const client = spawn(program, [path], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface(client.stdout)[Symbol.asyncIterator]();
    return {
      async call(method: string, request: object = {}): Promise<Outcome> {
        client.stdin.write(`${JSON.stringify({ method, ...request })}\n`);
        return JSON.parse((await lines.next()).value as string) as Outcome;
      },
      async restart() {
        await server.close();
        server = await serve();
      },
      async [Symbol.asyncDispose]() {
        client.kill("SIGKILL");
        await server.close();
        await snapshotter.close();
      },
    };
  }

  it("understands every answer", async () => {
    await using peer = await start();
    const labels = { "containerd.io/snapshot.ref": "sha256:\u00e9", __proto__x: "y" };
    const key = "default/2/extract-1 sha256:\u{1f9f5}";
    expect((await peer.call("prepare", { key, labels })).value).toEqual([
      { Type: "overlay", Source: "overlay", Options: [expect.stringMatching(/^upperdir=/)] },
    ]);
    expect((await peer.call("prepare", { key: "container" })).value).toEqual([
      { Type: "bind", Source: expect.any(String) as string, Options: ["rbind", "rw"] },
    ]);
    const prepared = await peer.call("stat", { key });
    expect(prepared.value).toMatchObject({ Name: key, Kind: "Active", Parent: "", Labels: labels });
    expect((await peer.call("commit", { name: "base", key })).error).toBeUndefined();
    await peer.call("view", { key: "v", parent: "base" });
    expect((await peer.call("stat", { key: "v" })).value).toMatchObject({ Kind: "View", Parent: "base" });
    expect((await peer.call("stat", { key: "base" })).value).toMatchObject({ Kind: "Committed", Parent: "" });
    expect((await peer.call("usage", { key: "base" })).value).toEqual({ Size: 4096, Inodes: 1 });
    expect((await peer.call("mounts", { key: "v" })).value).toMatchObject([{ Options: ["rbind", "ro"] }]);
    expect((await peer.call("cleanup")).error).toBeUndefined();
    const update = await peer.call("update", { key: "v", labels: { "a.b/c": "1" }, paths: ["labels.a.b/c"] });
    expect(update.value).toMatchObject({ Labels: { "a.b/c": "1" } });
    expect((await peer.call("remove", { key: "v" })).error).toBeUndefined();
  });

  it("sees times between its own", async () => {
    await using peer = await start();
    for (let times = 0; times < 20; times++) {
      const key = `k${times}`;
      const { before, after } = await peer.call("prepare", { key });
      const { Created: created, Updated: updated } = (await peer.call("stat", { key })).value as Record<string, string>;
      expect(updated).toBe(created);
      expect(BigInt(created as string)).toBeGreaterThanOrEqual(BigInt(before));
      expect(BigInt(created as string)).toBeLessThanOrEqual(BigInt(after));
    }
  });

  it("tells every failure by its kind", async () => {
    await using peer = await start();
    await peer.call("prepare", { key: "a" });
    await peer.call("commit", { name: "A", key: "a" });
    await peer.call("prepare", { key: "child", parent: "A" });
    const failures: readonly [method: string, request: object, code: string][] = [
      ["prepare", { key: "child" }, "ALREADY_EXISTS"],
      ["prepare", { key: "x", parent: "nobody" }, "NOT_FOUND"],
      ["prepare", { key: "x", parent: "child" }, "INVALID_ARGUMENT"],
      ["mounts", { key: "A" }, "FAILED_PRECONDITION"],
      ["commit", { name: "A", key: "child" }, "ALREADY_EXISTS"],
      ["commit", { name: "B", key: "A" }, "FAILED_PRECONDITION"],
      ["remove", { key: "A" }, "FAILED_PRECONDITION"],
      ["stat", { key: "nobody" }, "NOT_FOUND"],
      ["update", { key: "A", paths: ["parent"] }, "INVALID_ARGUMENT"],
      ["list", { filters: ["kind="] }, "INVALID_ARGUMENT"],
    ];
    for (const [method, request, code] of failures) {
      const outcome = await peer.call(method, request);
      expect(outcome, `${method} ${JSON.stringify(request)}`).toMatchObject({ code });
    }
    expect((await peer.call("remove", { key: "A" })).error).toMatch(/remove.*"A"/);
  });

  it("lists what it stats while it lists", async () => {
    await using peer = await start();
    for (let index = 0; index < 350; index++)
      await peer.call("prepare", { key: `k${index}`, labels: { l: `${index % 2}` } });
    expect((await peer.call("list")).value).toHaveLength(350);
    expect((await peer.call("list", { filters: ["labels.l==1"] })).value).toHaveLength(175);
  });

  it("goes on when the server was restarted", async () => {
    await using peer = await start();
    await peer.call("prepare", { key: "a" });
    await peer.restart();
    // Its dialer waits a second or so before it tries again.
    const deadline = Date.now() + 10_000;
    let outcome = await peer.call("stat", { key: "a" });
    while (outcome.code === "UNAVAILABLE" && Date.now() < deadline) outcome = await peer.call("stat", { key: "a" });
    expect(outcome.value).toMatchObject({ Name: "a" });
  });
});
