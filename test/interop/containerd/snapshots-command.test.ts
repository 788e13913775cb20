import { rename, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createRemoteSnapshotter } from "../../../src/snapshotter/index.ts";
import { createGrpcChannel } from "../../../src/grpc/index.ts";
import { cleatCommand } from "../../harness/plugins/cleat.ts";
import {
  type ContainerdWithClient,
  startContainerdWithClient,
  testNamespace,
} from "../../harness/containerd/containerd-client.ts";
import { shellLayer, writeImageArchive } from "../../harness/images/image-archive.ts";
import { type Namespace, openNamespace } from "../../harness/namespaces/namespace.ts";
import { type EngineRelease, forky, machine } from "../../harness/namespaces/release.ts";
import { type SnapshotterProcess, startSnapshotter } from "../../harness/containerd/snapshotter.ts";
import { until } from "../../harness/processes/until.ts";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";

for (const release of byDayOrNight([forky], [machine])) {
  const required = [...needsOf(release, "containerd"), needs.overlay, needs.busybox];
  describeWith(required, `cleat snapshots, beside the containerd of ${release.suite}`, () => testCommand(release));
}

interface Row {
  readonly namespace: string;
  readonly name: string;
  readonly state: string;
  readonly kind: string | null;
  readonly parent: string | null;
  readonly images: readonly string[];
  readonly mountPoints: readonly string[];
  readonly sizeBytes?: number;
}

function testCommand(engine: EngineRelease): void {
  let namespace: Namespace;
  let containerd: ContainerdWithClient;
  let proxy: SnapshotterProcess;
  let archive: string;

  beforeAll(async () => {
    namespace = await openNamespace(engine);
    archive = `${namespace.folder}/image.tar`;
    const second = { name: "second", fill: (tree: string) => writeFile(`${tree}/second`, Buffer.alloc(100_000, "x")) };
    await writeImageArchive(archive, "example.test/two", [shellLayer, second]);
    proxy = await startSnapshotter(namespace, { name: "cleat", driver: "overlay2" });
    containerd = await startContainerdWithClient(namespace, { proxies: [proxy] });
    await load();
  });
  afterAll(async () => {
    await containerd?.[Symbol.asyncDispose]();
    await proxy?.end("SIGTERM");
    await namespace?.[Symbol.asyncDispose]();
  });

  /** containerd calls a server that was away only when its own patience is over. */
  const serveAgain = async () => {
    await proxy.start();
    await until("containerd to call the snapshotter again", () => list("ls").catch(() => undefined));
  };
  const load = () => containerd.ctr("images", "import", "--snapshotter=cleat", ...noTransfer(), archive);
  const noTransfer = () => (engine === machine ? [] : ["--local"]);
  const cleat = (...args: string[]) => {
    const sockets = [`--containerd=${containerd.socket}`, `--socket=${proxy.socket}`];
    return namespace.run([...cleatCommand, "snapshots", ...args, ...sockets]);
  };
  const list = async (command: string, ...args: string[]) =>
    (JSON.parse(Buffer.from(await cleat(command, "--json", ...args), "latin1").toString()) as { snapshots: Row[] })
      .snapshots;

  it("shows what clients know, with the images that it is of, and what is mounted", async () => {
    const rows = await list("ls");
    expect(rows).toHaveLength(2);
    expect(rows.map(({ kind, state }) => `${kind} ${state}`)).toEqual(["committed ok", "committed ok"]);
    expect(rows.map(({ images }) => images)).toEqual(rows.map(() => ["example.test/two:latest"]));
    const top = rows.find(({ parent }) => parent !== null) as Row;
    expect(rows.map(({ name }) => name)).toContain(top.parent);

    const mountPoint = `${namespace.folder}/mnt`;
    await namespace.run(["mkdir", "-p", mountPoint]);
    const [mount] = await snapshots().prepare("c1", { parent: top.name, labels: { "containerd.io/gc.root": "1" } });
    await namespace.run(["mount", "-t", "overlay", "overlay", "-o", mount?.options.join(",") ?? "", mountPoint]);
    const [active] = (await list("ls")).filter(({ kind }) => kind === "active");
    await namespace.run(["umount", mountPoint]);
    expect(active).toMatchObject({ name: "c1", parent: top.name, mountPoints: [mountPoint] });

    const text = Buffer.from(await cleat("tree"), "latin1").toString();
    const order = ["sha256:", "sha256:", "c1"].map((word) => new RegExp(`(?:● |│ )${word}`));
    const lines = text.split("\n").filter((line) => /[●│]/.test(line));
    expect(lines).toHaveLength(3);
    for (const [at, pattern] of order.entries()) expect(lines[at]).toMatch(pattern);
    const sizes = await list("du");
    expect(sizes.find(({ name }) => name === top.name)?.sizeBytes).toBeGreaterThanOrEqual(100_000);
    await snapshots().remove("c1");
  });

  const snapshots = () => {
    const { channel, metadata } = containerd.client;
    return createRemoteSnapshotter({ channel, metadata, snapshotter: "cleat" });
  };

  it("has containerd collect what it has no name for", async () => {
    await cleat("gc"); // so that no collection of its own is about to come
    await using channel = createGrpcChannel({ unix: namespace.reach(proxy.socket) });
    const backend = createRemoteSnapshotter({ channel });
    await backend.prepare(`${testNamespace}/9999/stray key`, {});
    await backend.prepare("gone/1/stray key", {});
    await snapshots().prepare("c1", { labels: { "containerd.io/gc.root": "1" } });
    await backend.prepare(`${testNamespace}/0/c1`, {});
    expect((await list("ls")).filter(({ state }) => state === "orphaned")).toMatchObject([
      { namespace: "gone", name: "stray key" },
      { namespace: testNamespace, name: "c1", backendName: `${testNamespace}/0/c1` },
      { namespace: testNamespace, name: "stray key" },
    ]);
    expect(await cleat("gc")).toBe("3 collected, 3 left\n");
    expect(await list("ls")).toHaveLength(3);
    await snapshots().remove("c1");
    await cleat("gc");
  });

  it("has a containerd collect that has no namespace, as one that has lost its database", async () => {
    await using fresh = await openNamespace(engine);
    const own = await startSnapshotter(fresh, { name: "cleat", driver: "overlay2" });
    await using forgetful = await startContainerdWithClient(fresh, { proxies: [own] });
    await using channel = createGrpcChannel({ unix: fresh.reach(own.socket) });
    await createRemoteSnapshotter({ channel }).prepare("moby/1/layer", {});
    const sockets = [`--containerd=${forgetful.socket}`, `--socket=${own.socket}`];
    const run = (...args: string[]) => fresh.run([...cleatCommand, "snapshots", ...args, ...sockets]);
    expect(await run("ls")).toMatch(/^moby +layer +active +orphaned /m);
    expect(await run("gc")).toBe("1 collected, 0 left\n");
  });

  it("removes names that have lost their snapshots, and lets images be pulled again", async () => {
    const { name: top } = (await list("ls")).find(({ parent }) => parent !== null) as Row;
    expect(await cleat("repair")).toBe("nothing is broken\n");
    await proxy.end("SIGTERM");
    await rename(proxy.root, `${namespace.folder}/lost`);
    await serveAgain();
    await expect(load(), "as long as the names are there").rejects.toThrow();
    // What containerd began to unpack it collects when it has time.
    const broken = await until("containerd to collect what it unpacked in vain", async () => {
      const rows = await list("ls");
      return rows.some(({ kind }) => kind === "active") ? undefined : rows;
    });
    expect(broken.map(({ state, kind }) => `${state} ${kind}`)).toEqual(["broken null", "broken null"]);
    await expect(cleat("repair", "--dry-run")).rejects.toThrow(/ended with 5.*broken {3}test sha256:/s);
    expect(await list("ls")).toHaveLength(2);
    const lines = (await cleat("repair")).trim().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe(`removed  ${testNamespace} ${top}`);
    expect(await list("ls")).toEqual([]);
    await load();
    expect((await list("ls")).map(({ state }) => state)).toEqual(["ok", "ok"]);
  });

  it("leaves a name alone that others lie on", async () => {
    const { name: top } = (await list("ls")).find(({ parent }) => parent !== null) as Row;
    await snapshots().prepare("survivor", { parent: top, labels: { "containerd.io/gc.root": "1" } });
    await proxy.end("SIGTERM");
    await rename(proxy.root, `${namespace.folder}/lost-2`);
    await serveAgain();
    await expect(cleat("repair")).rejects.toThrow(/ended with 5.*cannot remove snapshot with child/s);
    await snapshots().remove("survivor");
    expect((await cleat("repair")).split("\n").filter((line) => line.startsWith("removed"))).toHaveLength(2);
  });

  it("says what does not answer", async () => {
    const nowhere = [...cleatCommand, "snapshots", "ls", `--containerd=${namespace.folder}/none.sock`];
    await expect(namespace.run(nowhere)).rejects.toThrow(/ended with 3.*none\.sock/s);
    await expect(cleat("ls", "--namespace=nobody")).rejects.toThrow(/ended with 1.*it has: test/s);
  });
}
