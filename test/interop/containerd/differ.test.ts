import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { Readable } from "node:stream";
import { createGunzip, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  type Containerd,
  createDigester,
  createLease,
  diffService,
  leaseHeader,
  readBlob,
  writeBlob,
} from "../../../src/containerd/index.ts";
import { createGrpcChannel, createGrpcClient } from "../../../src/grpc/index.ts";
import { createRemoteSnapshotter, type Mount, type Snapshotter } from "../../../src/snapshotter/index.ts";
import { createTarReader } from "../../../src/tar/index.ts";
import {
  type ContainerdWithClient,
  startContainerdWithClient,
  testNamespace,
} from "../../harness/containerd/containerd-client.ts";
import { type Namespace, openNamespace } from "../../harness/namespaces/namespace.ts";
import { forky, trixie } from "../../harness/namespaces/release.ts";
import { type SnapshotterProcess, startSnapshotter } from "../../harness/containerd/snapshotter.ts";
import { describeWith, needs } from "../../needs.ts";

/** What the lower layer holds, and what is done to it; a line of shell each. */
const lowerFiles = [
  "mkdir -p etc usr/bin usr/lib a deep/er/still old/sub gone/sub opaque/sub replaced-folder/sub",
  "echo a > a/c; echo ab > a.b; echo conf > etc/conf; echo keep > etc/keep",
  "echo x > deep/er/still/x; echo o > old/sub/o; echo g > gone/sub/g; echo h > opaque/h; echo s > opaque/sub/s",
  "echo r > replaced-folder/sub/r; echo rf > replaced-file; ln -s etc/conf link; ln etc/keep etc/keep2",
  "head -c 300000 /dev/urandom > usr/lib/big; echo l > usr/bin/linked; mkfifo pipe",
] as const;
const changes = [
  "echo changed >> etc/conf; rm etc/keep; chmod 700 deep/er; chown 12:34 a.b; touch -d 2001-02-03T04:05:06.7 a/c",
  "rm -r gone; rm -r opaque; mkdir opaque; echo new > opaque/new; rm -r replaced-folder; echo f > replaced-folder",
  "rm replaced-file; mkdir replaced-file; echo in > replaced-file/in; rm link; ln -s elsewhere link",
  "ln usr/bin/linked usr/bin/also; ln usr/bin/linked aaa-first; mknod dev-c c 1 3; mknod dev-b b 7 0; mkfifo new-pipe",
  "echo setuid > suid; chmod 4755 suid; mkdir sticky; chmod 1777 sticky; mkdir -p new/x/y; echo z > new/x/y/z; ln " +
    "new/x/y/z new/x/q",
  `mkdir ${"n".repeat(90)}; echo long > ${"n".repeat(90)}/${"m".repeat(120)}; echo ü > ünïcödé; printf 'b' > ` +
    `"$(printf 'b\\377d')"`,
  "cp -p old/sub/o old/sub/o.tmp; mv old/sub/o.tmp old/sub/o; touch -d 1965-01-01 before-1970; truncate -s 5M holes",
  "echo cap > capable; setcap cap_net_raw+ep capable; mkdir a.c; echo after > a.c/f; echo ' ' > 'a b'; mkdir sock",
] as const;

/** Cleat's own snapshots, and those of a snapshotter that it does not know, whose mounts it makes. */
const subjects = [
  { driver: "overlay2", snapshotter: "cleat" },
  { driver: "vfs", snapshotter: "cleat" },
  { driver: "overlay2", snapshotter: "overlayfs" },
] as const;

for (const subject of subjects) {
  const title = `Cleat as the differ of containerd 2.1, of ${subject.snapshotter}'s mounts, with ${subject.driver}`;
  describeWith([needs.root, needs.forky, needs.overlay], title, () => testDiffer(subject));
}

function testDiffer({ driver, snapshotter }: (typeof subjects)[number]): void {
  let namespace: Namespace;
  let proxy: SnapshotterProcess;
  let cleat: ContainerdWithClient;
  let builtIn: ContainerdWithClient;
  let snapshots: Snapshotter;
  let mountPoint: string;

  beforeAll(async () => {
    namespace = await openNamespace(forky);
    mountPoint = `${namespace.folder}/mnt`;
    await mkdir(mountPoint);
    proxy = await startSnapshotter(namespace, { name: "cleat", driver, arguments: ["--diff", "--apply"] });
    cleat = await startContainerdWithClient(namespace, { proxies: [proxy], differ: proxy });
    builtIn = await startContainerdWithClient(namespace, { name: "builtin" });
    for (const { client } of [cleat, builtIn]) {
      await client.services.namespaces.create({ namespace: { name: testNamespace } });
    }
    const { channel, metadata } = cleat.client;
    snapshots = createRemoteSnapshotter({ channel, metadata, snapshotter });
  });
  afterAll(async () => {
    await builtIn?.[Symbol.asyncDispose]();
    await cleat?.[Symbol.asyncDispose]();
    await proxy?.end("SIGTERM");
    await namespace?.[Symbol.asyncDispose]();
  });

  /** Runs lines of shell in what mounts show. */
  async function change(mounts: readonly Mount[], lines: readonly string[]): Promise<void> {
    const [{ type, source, options }] = mounts as [Mount];
    const argv =
      type === "bind"
        ? ["mount", "--bind", source, mountPoint]
        : ["mount", "-t", type, "-o", options.join(","), source, mountPoint];
    await namespace.run(argv);
    try {
      await namespace.run(["sh", "-e", "-c", `cd ${mountPoint}; ${lines.join("\n")}`]);
    } finally {
      await namespace.run(["umount", mountPoint]);
    }
  }

  /** Labels by which the collector leaves a snapshot alone. */
  const labels = { "containerd.io/gc.root": "1" };
  const prepare = (key: string, parent?: string) => snapshots.prepare(key, { parent, labels });
  const view = (key: string, parent?: string) => snapshots.view(key, { parent, labels });

  /** Commits a snapshot of those lines on top of `parent`. */
  async function layer(name: string, parent: string | undefined, lines: readonly string[]): Promise<void> {
    await change(await prepare(`${name}-active`, parent), lines);
    await snapshots.commit(name, `${name}-active`, { labels });
  }

  async function expectSameDiff(
    left: readonly Mount[],
    right: readonly Mount[],
    options: DiffOptions = {},
  ): Promise<MadeDiff> {
    const both = [cleat, builtIn].map(({ client }) => diffOf(client, left, right, options));
    const [ours, theirs] = (await Promise.all(both)) as [MadeDiff, MadeDiff];
    expect(ours.entries).toEqual(theirs.entries);
    expect(ours.diffId).toBe(theirs.diffId);
    const why = "two programs compress differently, or the fallback was what answered";
    expect(ours.digest, why).not.toBe(theirs.digest);
    return ours;
  }

  it("makes the same layer as the one that is built in, of a container's changes", async () => {
    await layer("base", undefined, lowerFiles);
    await layer("middle", "base", ["echo middle > middle; rm a/c; echo again > a/c"]);
    const left = await view("middle-view", "middle");
    const right = await prepare("container", "middle");
    await change(right, changes);
    await expectSameDiff(left, right);
    const commands = await prepare("container-2", "base");
    await change(commands, changes);
    await expectSameDiff(await view("base-view", "base"), commands);
  });

  it("makes the same layer of a first one, of a committed one, and of nothing", async () => {
    const nothing = await view("nothing");
    await expectSameDiff(nothing, await view("base-view-2", "base"));
    const base = await view("base-view-3", "base");
    await expectSameDiff(base, await view("middle-view-2", "middle"));
    await expectSameDiff(base, await prepare("untouched", "base"));
  });

  it("writes no later time than it is asked for, as the one that is built in", async () => {
    const [left, right] = [await view("epoch-view", "middle"), await snapshots.mounts("container")];
    const epoch = 1_000_000_000n; // 2001-09-09: what was touched for February is before
    const { entries } = await expectSameDiff(left, right, { source_date_epoch: { seconds: epoch, nanos: 0 } });
    const times = entries.map((line) => Number(line.split(" ").find((word) => /^\d{9,}$/.test(word))));
    expect(times.filter((seconds) => seconds > epoch)).toEqual([]);
    expect(entries.some((line) => / 98117310[67]\b/.test(line))).toBe(true);
    const { diffId } = await expectSameDiff(left, right);
    expect(diffId).not.toBe(
      (await diffOf(cleat.client, left, right, { source_date_epoch: { seconds: epoch, nanos: 0 } })).diffId,
    );
  });

  it("has zstd made by the next where its Node has none", async () => {
    const [left, right] = [await view("zstd-view", "middle"), await snapshots.mounts("container")];
    const asked = { left, right, media_type: `${layerTypes[0]}+zstd` };
    const { diff } = await cleat.client.services.diff.diff(asked);
    const { info } = await cleat.client.services.content.info({ digest: diff?.digest ?? "" });
    expect(info?.labels["containerd.io/uncompressed"]).toBe((await diffOf(cleat.client, left, right)).diffId);
    const mounts = await prepare("from zstd", "middle");
    const { applied } = await cleat.client.services.diff.apply({ diff, mounts });
    expect(applied?.digest).toBe(info?.labels["containerd.io/uncompressed"]);
  });

  it("follows a layer whose folders were renamed in place", async () => {
    if (driver !== "overlay2" || snapshotter !== "cleat") return;
    const left = await view("redirected-view", "base");
    const right = await prepare("redirected", "base");
    const [{ options }] = right as [Mount];
    const redirecting = [{ type: "overlay", source: "overlay", options: [...options, "redirect_dir=on"] }];
    await change(redirecting, ["mv usr moved"]);
    await expectSameDiff(left, redirecting);
    await expectSameDiff(left, right);
  });

  it("unpacks what it made to the same tree, however it is compressed and called", async () => {
    if (snapshotter !== "cleat") return; // containerd's own applier does that, and cannot link to files of lower layers
    const left = await view("unpacked-view", "middle");
    const right = await snapshots.mounts("container");
    const { client } = cleat;
    for (const mediaType of ["", ...layerTypes]) {
      const made = (await client.services.diff.diff({ left, right, media_type: mediaType })).diff as Descriptor;
      const key = `unpacked ${mediaType}`;
      const mounts = await prepare(key, "middle");
      const { applied } = await client.services.diff.apply({ diff: made, mounts, sync_fs: true });
      const { diffId } = await diffOf(client, left, right);
      expect(applied).toMatchObject({ media_type: "application/vnd.oci.image.layer.v1.tar", digest: diffId });
      const again = await diffOf(builtIn.client, left, mounts);
      expect(again.diffId).toBe(diffId);
    }
  });

  it("unpacks side by side what is laid on its parent afterwards", async () => {
    if (driver !== "overlay2" || snapshotter !== "cleat") return;
    const { client } = cleat;
    const left = await view("rebased-view", "middle");
    const { digest, diffId } = await diffOf(client, left, await snapshots.mounts("container"));
    const made = { digest, media_type: layerTypes[1] };
    const refLabels = { "containerd.io/snapshot.ref": "sha256:rebased", ...labels };
    const mounts = await snapshots.prepare("extract-1 sha256:rebased", { labels: refLabels });
    expect(mounts).toMatchObject([{ type: "overlay", options: [expect.stringMatching(/^upperdir=/)] }]);
    expect((await client.services.diff.apply({ diff: made, mounts })).applied?.digest).toBe(diffId);
    const upper = mounts[0]?.options[0]?.slice("upperdir=".length);
    expect(await namespace.run(["stat", "-c", "%F %t:%T", `${upper}/gone`])).toBe("character special file 0:0\n");
  });

  it("leaves to the next differ what it does not know, and touches nothing before", async () => {
    const { client } = cleat;
    const mounts = await prepare("strange", "base");
    const { digest } = await diffOf(client, await view("v", "base"), await snapshots.mounts("container"));
    const encrypted = { digest, media_type: `${layerTypes[1]}+encrypted` };
    // So says containerd's own applier, which was asked next.
    await expect(client.services.diff.apply({ diff: encrypted, mounts })).rejects.toThrow(
      "failed to get stream processor",
    );
    const left = await view("v2", "base");
    await expect(client.services.diff.diff({ left, right: mounts, media_type: "text/plain" })).rejects.toMatchObject({
      code: "UNIMPLEMENTED",
    });
    await expectSameDiff(left, mounts);
  });

  it("makes a damaged blob known", async () => {
    const { client } = cleat;
    const lease = await createLease(client, { expireMs: 60_000 });
    const whole = gzipSync(randomBytes(100_000));
    const parts = [whole.subarray(0, 50_000)];
    const { digest } = await writeBlob(client, Readable.from(parts), { lease });
    const mounts = await prepare("damaged");
    const apply = client.services.diff.apply({ diff: { digest, media_type: layerTypes[1] }, mounts });
    await expect(apply).rejects.toThrow();
  });

  it.each(["as it is", "compressed"])(
    "unpacks an archive of no bytes, %s, as the one that is built in",
    async (how) => {
      const mounts = await prepare(`empty ${how}`, "base");
      const bytes = how === "compressed" ? gzipSync(Buffer.alloc(0)) : Buffer.alloc(0);
      for (const { client } of [cleat, builtIn]) {
        const lease = await createLease(client, { expireMs: 60_000 });
        const { digest } = await writeBlob(client, Readable.from([bytes]), { lease });
        const { applied } = await client.services.diff.apply({ diff: { digest, media_type: layerTypes[1] }, mounts });
        expect(applied).toMatchObject({ digest: createDigester().digest(), size: 0n });
      }
    },
  );

  it("leaves no mount, no folder and no write behind", async () => {
    expect(await namespace.mountsUnder("/tmp")).toEqual([]);
    expect(await namespace.run(["ls", "/tmp"])).not.toContain("cleat-diff");
    expect((await cleat.client.services.content.listStatuses({})).statuses).toEqual([]);
    const { leases } = await cleat.client.services.leases.list({});
    const inMs = leases.map((lease) => Date.parse(lease.labels["containerd.io/gc.expire"] ?? "") - Date.now());
    expect(inMs.length).toBeGreaterThan(0);
    expect(inMs.every((ms) => ms > 0 && ms <= 600_000)).toBe(true);
  });
}

describeWith(
  [needs.root, needs.trixie, needs.overlay],
  "Cleat as the differ of a containerd that sends no namespace",
  () => {
    it("says so, and leaves the work to the next", async () => {
      await using namespace = await openNamespace(trixie);
      const differing = { driver: "overlay2", arguments: ["--diff", "--apply"] };
      const proxy = await startSnapshotter(namespace, { name: "cleat", ...differing });
      await using cleat = await startContainerdWithClient(namespace, { proxies: [proxy], differ: proxy });
      const { channel, metadata, services } = cleat.client;
      await services.namespaces.create({ namespace: { name: testNamespace } });
      const snapshots = createRemoteSnapshotter({ channel, metadata, snapshotter: "cleat" });
      const labels = { "containerd.io/gc.root": "1" };
      const left = await snapshots.view("left", { labels });
      const right = await snapshots.prepare("right", { labels });
      expect((await diffOf(cleat.client, left, right)).entries).toEqual([]);
      await using direct = createGrpcChannel({ unix: namespace.reach(proxy.socket) });
      const asked = createGrpcClient(diffService, direct).diff({ left, right });
      await expect(asked).rejects.toMatchObject({
        code: "UNIMPLEMENTED",
        message: expect.stringContaining("no header") as string,
      });
      await proxy.end("SIGTERM");
    });
  },
);

type Descriptor = { media_type: string; digest: string; size: bigint };

const layerTypes = [
  "application/vnd.oci.image.layer.v1.tar",
  "application/vnd.oci.image.layer.v1.tar+gzip",
  "application/vnd.docker.image.rootfs.diff.tar.gzip",
] as const;

interface MadeDiff {
  readonly digest: string;
  readonly diffId: string | undefined;
  readonly entries: readonly string[];
}

interface DiffOptions {
  readonly source_date_epoch?: { readonly seconds: bigint; readonly nanos: number };
}

/** Asks containerd for a diff, and reads what it made. */
async function diffOf(
  client: Containerd,
  left: readonly Mount[],
  right: readonly Mount[],
  options: DiffOptions = {},
): Promise<MadeDiff> {
  // For what containerd's own differ makes, which else may be collected before it is read.
  const lease = await createLease(client, { expireMs: 60_000 });
  const { diff } = await client.services.diff.diff({ left, right, ...options }, { metadata: { [leaseHeader]: lease } });
  const digest = diff?.digest ?? "";
  const { info } = await client.services.content.info({ digest });
  const parts: Uint8Array[] = [];
  const unzipped = Readable.from(await readBlob(client, digest)).pipe(createGunzip());
  for await (const part of unzipped) parts.push(part as Uint8Array);
  const digester = createDigester();
  for (const part of parts) digester.update(part);
  const diffId = info?.labels["containerd.io/uncompressed"];
  expect(diffId).toBe(digester.digest());
  expect(diff).toMatchObject({ media_type: "application/vnd.oci.image.layer.v1.tar+gzip", size: info?.size });
  return { digest, diffId, entries: entriesOf(parts) };
}

function entriesOf(parts: readonly Uint8Array[]): string[] {
  const left = [...parts];
  const reader = createTarReader({ read: () => left.shift() });
  const lines: string[] = [];
  for (let header = reader.next(); header !== undefined; header = reader.next()) {
    const { name, linkName, type, mode, uid, gid, sizeBytes, mtimeSeconds, xattrs } = header;
    const text = [name, linkName].map((bytes) => JSON.stringify(bytes.toString("latin1"))).join(" ");
    const attributes = [...xattrs].map(([key, value]) => `${key}=${value.toString("hex")}`);
    lines.push([text, type, mode.toString(8), uid, gid, sizeBytes, mtimeSeconds, ...attributes].join(" "));
  }
  return lines;
}
