import { createReadStream } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLease, leaseHeader, writeBlob } from "../../../src/containerd/index.ts";
import { createRemoteSnapshotter, type Mount, type Snapshotter } from "../../../src/snapshotter/index.ts";
import {
  type ContainerdWithClient,
  startContainerdWithClient,
  testNamespace,
} from "../../harness/containerd/containerd-client.ts";
import { type Namespace, openNamespace } from "../../harness/namespaces/namespace.ts";
import { forky, machine } from "../../harness/namespaces/release.ts";
import { type SnapshotterProcess, startSnapshotter } from "../../harness/containerd/snapshotter.ts";
import { describeWith, needs, needsOf } from "../../needs.ts";

/** What there is below, and a layer of which the archive says that it hides all of that, at its root. */
const lowerFiles = ["a", "d/below", "e/below", "f"];
const upperFiles = [".wh..wh..opq", "d/own", "f", "new"];
const shownThen = ["./d/own", "./f", "./new"];

/** Whose applier unpacks. */
const subjects = [
  { release: machine, applier: "containerd's own applier", isCleats: false },
  { release: forky, applier: "containerd's own applier", isCleats: false },
  { release: forky, applier: "Cleat's applier", isCleats: true },
] as const;

for (const subject of subjects) {
  const { release, applier } = subject;
  const version = release === machine ? "this machine" : release.suite;
  const required = [needs.root, ...needsOf(release, "containerd"), needs.overlay];
  describeWith(required, `an opaque root that ${applier} on ${version} unpacks`, () => testOpaqueRoot(subject));
}

function testOpaqueRoot({ release, isCleats }: (typeof subjects)[number]): void {
  let namespace: Namespace;
  let proxy: SnapshotterProcess;
  let containerd: ContainerdWithClient;
  let lease: string;

  beforeAll(async () => {
    namespace = await openNamespace(release);
    const differing = { arguments: isCleats ? ["--diff", "--apply"] : [] };
    proxy = await startSnapshotter(namespace, { name: "cleat", driver: "overlay2", ...differing });
    const differ = isCleats ? { differ: proxy } : {};
    containerd = await startContainerdWithClient(namespace, { proxies: [proxy], ...differ });
    await containerd.client.services.namespaces.create({ namespace: { name: testNamespace } });
    lease = await createLease(containerd.client, { expireMs: 600_000 });
    for (const [name, files] of [["lower", lowerFiles] as const, ["upper", upperFiles] as const]) {
      for (const file of files) {
        const path = `${namespace.folder}/${name}/${file}`;
        await mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
        await writeFile(path, name);
      }
    }
    await mkdir(`${namespace.folder}/mnt`);
  });
  afterAll(async () => {
    await containerd?.[Symbol.asyncDispose]();
    await proxy?.end("SIGTERM");
    await namespace?.[Symbol.asyncDispose]();
  });

  /** Unpacks the folder of that name as a layer into what the mounts show. */
  async function apply(folder: string, mounts: readonly Mount[]): Promise<void> {
    const archive = `${namespace.folder}/${folder}.tar`;
    const names = (await readdir(`${namespace.folder}/${folder}`)).toSorted();
    await namespace.run(["tar", "-C", `${namespace.folder}/${folder}`, "-cf", archive, ...names]);
    const { client } = containerd;
    const { digest, sizeBytes } = await writeBlob(client, createReadStream(archive), { lease });
    const diff = { digest, size: BigInt(sizeBytes), media_type: "application/vnd.oci.image.layer.v1.tar" };
    await client.services.diff.apply({ diff, mounts }, { metadata: { [leaseHeader]: lease } });
  }

  async function filesIn([mount]: readonly Mount[]): Promise<string[]> {
    const { type, source, options: told } = mount as Mount;
    const target = `${namespace.folder}/mnt`;
    await namespace.run([
      "mount",
      ...(type === "bind" ? ["--bind"] : ["-t", type, "-o", told.join(",")]),
      source,
      target,
    ]);
    try {
      return (await namespace.run(["sh", "-c", `cd ${target}; find . ! -type d`]))
        .split("\n")
        .filter(Boolean)
        .toSorted();
    } finally {
      await namespace.run(["umount", target]);
    }
  }

  /** Two layers as containerd's unpacker makes them; what the upper one shows. */
  async function unpack(snapshotter: string): Promise<{ snapshots: Snapshotter; shown: string[] }> {
    const { channel, metadata } = containerd.client;
    const snapshots = createRemoteSnapshotter({ channel, metadata, snapshotter });
    const labels = { "containerd.io/gc.root": "1" };
    let parent: string | undefined;
    for (const name of ["lower", "upper"]) {
      const key = `extract-1 ${name}`;
      const ref = { ...labels, "containerd.io/snapshot.ref": name };
      await apply(name, await snapshots.prepare(key, { labels: ref, parent }));
      await snapshots.commit(name, key, { labels });
      parent = name;
    }
    return { snapshots, shown: await filesIn(await snapshots.view("view", { parent, labels })) };
  }

  it("hides what lies below, in containers and in diffs", async () => {
    const { snapshots, shown } = await unpack("cleat");
    expect(shown).toEqual(shownThen);
    const container = await snapshots.prepare("container", {
      parent: "upper",
      labels: { "containerd.io/gc.root": "1" },
    });
    expect(await filesIn(container)).toEqual(shownThen);
  });

  it("does not in containerd's own overlayfs", async () => {
    const { shown } = await unpack("overlayfs");
    expect(shown).toEqual(["./a", "./d/below", "./d/own", "./e/below", "./f", "./new"]);
  });
}
