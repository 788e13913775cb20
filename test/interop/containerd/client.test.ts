import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  connectContainerd,
  createDigester,
  createLease,
  readBlob,
  withLease,
  writeBlob,
} from "../../../src/containerd/index.ts";
import { readThroughApi } from "../../../src/containerd/blobs/read-blob.ts";
import {
  type ContainerdWithClient,
  startContainerdWithClient,
  testNamespace,
} from "../../harness/containerd/containerd-client.ts";
import { type Namespace, openNamespace } from "../../harness/namespaces/namespace.ts";
import { type EngineRelease, forky, machine, trixie } from "../../harness/namespaces/release.ts";
import { describeWith, needs } from "../../needs.ts";

const releases = [
  [machine, [needs.root, needs.containerd]],
  [trixie, [needs.root, needs.trixie]],
  [forky, [needs.root, needs.forky]],
] as const;

for (const [release, required] of releases) {
  describeWith(required, `containerd's own API, of ${release.suite}`, () => testClient(release));
}

function testClient(engine: EngineRelease): void {
  let namespace: Namespace;
  let containerd: ContainerdWithClient;
  beforeAll(async () => {
    namespace = await openNamespace(engine);
    containerd = await startContainerdWithClient(namespace);
    await containerd.client.services.namespaces.create({ namespace: { name: testNamespace } });
  });
  afterAll(async () => {
    await containerd?.[Symbol.asyncDispose]();
    await namespace?.[Symbol.asyncDispose]();
  });

  const lease = () => createLease(containerd.client, { expireMs: 60_000 });
  const exists = async (digest: string) =>
    containerd.client.services.content.info({ digest }).then(
      () => true,
      () => false,
    );

  it("says which it is, and what it consists of", async () => {
    const { introspection, version } = containerd.client.services;
    expect((await version.version({})).version).toMatch(/^v?\d+\.\d+\.\d+/);
    expect((await introspection.server({})).uuid).toMatch(/^[0-9a-f-]{36}$/);
    const { plugins } = await introspection.plugins({ filters: ["type==io.containerd.snapshotter.v1"] });
    expect(plugins.map(({ id }) => id)).toContain("overlayfs");
    expect(plugins.every(({ type }) => type === "io.containerd.snapshotter.v1")).toBe(true);
  });

  it("keeps a blob of many messages, which comes back through its file and through its API", async () => {
    const parts = [randomBytes(5_000_000), randomBytes(1), randomBytes(9_000_000)];
    const labels = () => ({ "containerd.io/uncompressed": "sha256:x" });
    const written = await writeBlob(containerd.client, from(parts), { lease: await lease(), labels });
    expect(written).toEqual(digestOf(parts));
    const { info } = await containerd.client.services.content.info({ digest: written.digest });
    expect(info).toMatchObject({ size: 14_000_001n, labels: labels() });
    for (const read of [
      await readBlob(containerd.client, written.digest),
      readThroughApi(containerd.client, written.digest),
    ]) {
      expect(await digestOfStream(read)).toEqual(written);
    }
  });

  it("keeps an empty blob", async () => {
    const written = await writeBlob(containerd.client, from([]), { lease: await lease() });
    expect(written).toEqual(digestOf([]));
    expect(await exists(written.digest)).toBe(true);
  });

  it("takes a blob that is there for a success, and gives it the labels that it lacks", async () => {
    const parts = [randomBytes(100)];
    const write = (labels: Record<string, string>, expected?: string) =>
      lease().then((id) => writeBlob(containerd.client, from(parts), { lease: id, labels: () => labels, expected }));
    const written = await write({ a: "first" });
    expect(await write({ a: "second", "b.c/d": "new" })).toEqual(written);
    const { info } = await containerd.client.services.content.info({ digest: written.digest });
    expect(info?.labels).toMatchObject({ a: "first", "b.c/d": "new" });
    expect(await write({}, written.digest)).toEqual(written);
    expect((await containerd.client.services.content.listStatuses({})).statuses).toEqual([]);
  });

  it("leaves nothing of a write that fails, and what was written of one whose name was given", async () => {
    const failing = async function* () {
      yield randomBytes(1000);
      await Promise.resolve();
      throw new Error("the source is gone");
    };
    const id = await lease();
    await expect(writeBlob(containerd.client, failing(), { lease: id })).rejects.toThrow("the source is gone");
    const failingAtOnce = failing();
    await failingAtOnce.next();
    await expect(writeBlob(containerd.client, failingAtOnce, { lease: id })).rejects.toThrow("the source is gone");
    const { content } = containerd.client.services;
    expect((await content.listStatuses({})).statuses).toEqual([]);
    await expect(writeBlob(containerd.client, failing(), { lease: id, ref: "mine" })).rejects.toThrow("is gone");
    expect((await content.listStatuses({})).statuses).toMatchObject([{ ref: "mine" }]);
    const parts = [randomBytes(10)];
    expect(await writeBlob(containerd.client, from(parts), { lease: id, ref: "mine" })).toEqual(digestOf(parts));
  });

  it("refuses a source that is not what was expected", async () => {
    const expected = digestOf([Buffer.from("other")]).digest;
    const write = writeBlob(containerd.client, from([Buffer.from("this")]), { lease: await lease(), expected });
    await expect(write).rejects.toMatchObject({ code: "DATA_LOSS" });
    expect((await containerd.client.services.content.listStatuses({})).statuses).toEqual([]);
  });

  it("collects a blob with its lease, and not before", async () => {
    const { client } = containerd;
    const { leases } = client.services;
    const [kept, dropped] = [await lease(), await lease()];
    const first = await writeBlob(client, from([randomBytes(10)]), { lease: kept });
    const parts = [randomBytes(10)];
    const second = await writeBlob(client, from(parts), { lease: dropped });
    const adopted = await withLease(client, { expireMs: 60_000 }, async (id) => {
      await writeBlob(client, from(parts), { lease: id });
      await leases.delete({ id: dropped, sync: true });
      return exists(second.digest);
    });
    expect(adopted, "a blob that was there is in the lease").toBe(true);
    const trigger = await lease();
    await leases.delete({ id: trigger, sync: true });
    expect(await exists(first.digest)).toBe(true);
    expect(await exists(second.digest)).toBe(false);
  });

  it("tells by code what is wrong", async () => {
    const { client } = containerd;
    const missing = digestOf([Buffer.from("nobody has this")]).digest;
    await expect(readBlob(client, missing)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(readBlob(client, "sha256:../../x")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    const id = await lease();
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow = async function* () {
      yield randomBytes(10);
      await held;
    };
    const first = writeBlob(client, slow(), { lease: id, ref: "held" });
    await expect
      .poll(async () => (await client.services.content.listStatuses({})).statuses)
      .toMatchObject([{ ref: "held" }]);
    const second = writeBlob(client, from([randomBytes(10)]), { lease: id, ref: "held" });
    await expect(second).rejects.toMatchObject({ code: "UNAVAILABLE" });
    release();
    await first;
    const nowhere = connectContainerd({ socket: `${namespace.folder}/none.sock`, namespace: "x" });
    await expect(nowhere.services.version.version({})).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("names images, of each namespace its own", async () => {
    const { images, namespaces } = containerd.client.services;
    const { digest, sizeBytes } = await writeBlob(containerd.client, from([Buffer.from("{}")]), {
      lease: await lease(),
    });
    const target = { media_type: "application/vnd.oci.image.manifest.v1+json", digest, size: BigInt(sizeBytes) };
    await images.create({ image: { name: "example.test/a:1", target } });
    await expect(images.create({ image: { name: "example.test/a:1", target } })).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
    });
    expect((await images.list({})).images).toMatchObject([{ name: "example.test/a:1", target }]);
    await namespaces.create({ namespace: { name: "other", labels: { a: "b" } } });
    expect((await namespaces.get({ name: "other" })).namespace).toEqual({ name: "other", labels: { a: "b" } });
    const { services } = containerd.client.within("other");
    expect((await services.images.list({})).images).toEqual([]);
    expect((await services.containers.list({})).containers).toEqual([]);
    await images.delete({ name: "example.test/a:1", sync: true });
    expect((await images.list({})).images).toEqual([]);
  });
}

async function* from(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(part);
}

function digestOf(parts: readonly Uint8Array[]): { digest: string; sizeBytes: number } {
  const digester = createDigester();
  for (const part of parts) digester.update(part);
  return { digest: digester.digest(), sizeBytes: digester.sizeBytes() };
}

async function digestOfStream(stream: AsyncIterable<Uint8Array>): Promise<{ digest: string; sizeBytes: number }> {
  const digester = createDigester();
  for await (const part of stream) digester.update(part);
  return { digest: digester.digest(), sizeBytes: digester.sizeBytes() };
}
