/** Docker's own drivers and Cleat's keep layers alike: each goes on with a store that the other wrote. */
import { readFile, readdir, rename, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { writeBaseArchive } from "../../harness/images/base-image.ts";
import { contentOfImage, diffOf, identityOf, runScript } from "../../harness/engines/containers.ts";
import { startEngine, type Engine } from "../../harness/engines/engine.ts";
import { leftoversAtLast, removeEverything } from "../../harness/engines/leftovers.ts";
import { trixie } from "../../harness/namespaces/release.ts";
import { openNamespace, type Namespace } from "../../harness/namespaces/namespace.ts";
import { sampleChanges } from "../../harness/images/sample-changes.ts";
import {
  builtinBtrfs,
  builtinFuseOverlayfs,
  builtinOverlay2,
  cleatBtrfs,
  cleatFuseOverlayfs,
  cleatOverlay2,
  type Storage,
  ofRelease,
  withExactDiffs,
} from "../../harness/engines/storage.ts";

type Pair = readonly [Storage, Storage];

const later = (
  [
    [builtinOverlay2, cleatOverlay2],
    [builtinFuseOverlayfs, cleatFuseOverlayfs],
    [builtinBtrfs, cleatBtrfs],
  ] as const
).map(([one, other]): Pair => [ofRelease(trixie, one), ofRelease(trixie, other)]);

const pairs = byDayOrNight<Pair>(
  [[builtinBtrfs, cleatBtrfs], ...later.slice(0, 1)],
  [
    [builtinOverlay2, cleatOverlay2],
    [builtinFuseOverlayfs, cleatFuseOverlayfs],
    [builtinOverlay2, withExactDiffs(cleatOverlay2)],
    [builtinBtrfs, withExactDiffs(cleatBtrfs)],
    ...later.slice(1),
  ],
);

const onTop = "rm -r /data/replaced; mkdir /data/replaced; echo top > /data/replaced/top; rm /data/added";

describeWith([needs.root, needs.dockerd, needs.overlay, needs.busybox, needs.attr], "a store changes hands", () => {
  for (const [one, other] of pairs) {
    describeWith(one.needs, `of ${one.title} and ${other.title}`, () => {
      let namespace: Namespace;

      beforeAll(async () => {
        namespace = await openNamespace(one.release);
        await writeBaseArchive(`${namespace.folder}/base.tar`);
      });
      afterAll(() => namespace?.[Symbol.asyncDispose]());

      test("from the first to the second", () => exchange(namespace, one, other));
      test("from the second to the first", () => exchange(namespace, other, one));
    });
  }

  async function exchange(namespace: Namespace, from: Storage, to: Storage): Promise<void> {
    const dataRoot = `${namespace.folder}/${from.title}-to-${to.title}`.replaceAll(" ", "-");
    const first = await startEngine(namespace, from, dataRoot);
    await first.docker("import", `${namespace.folder}/base.tar`, "base");
    await runScript(first, "changed", "base", sampleChanges.script);
    const observe = from.missesDeletions || to.missesDeletions ? observeFiles : observeAll;
    const before = await observe(first, from);
    await end(first);

    await handOver(namespace.reach(dataRoot), from, to);
    const second = await startEngine(namespace, to, dataRoot);
    expect(await observe(second, to)).toEqual(before);
    await second.docker("start", "changed");
    await removeEverything(second);
    expect(await leftoversAtLast(second)).toEqual({ mounts: [], layers: [] });
    await end(second);
  }
});

/** What is in a store, as Docker shows it: images, a container's diff and the digests of the layers made from it. */
async function observeAll(engine: Engine, { repeatsCommits }: Storage) {
  await engine.docker("commit", "changed", "committed");
  await runScript(engine, "on-top", "committed", onTop);
  await engine.docker("commit", "on-top", "top");
  const observed = {
    base: await identityOf(engine, "base"),
    baseContent: await contentOfImage(engine, "base"),
    diff: await diffOf(engine, "changed"),
    committedContent: await contentOfImage(engine, "committed"),
    committedLayers: repeatsCommits && (await identityOf(engine, "committed")).layers,
    diffOnTop: await diffOf(engine, "on-top"),
    contentOnTop: await contentOfImage(engine, "top"),
  };
  await engine.docker("rm", "on-top");
  await engine.docker("rmi", "top", "committed");
  return observed;
}

/** What is in a store, without a diff. */
async function observeFiles(engine: Engine) {
  return {
    base: await identityOf(engine, "base"),
    baseContent: await contentOfImage(engine, "base"),
    changed: await engine.docker("cp", "changed:/data", "-"),
  };
}

async function end({ dockerd, cleat }: Engine): Promise<void> {
  await dockerd.end("SIGTERM");
  await cleat?.end("SIGTERM");
}

/** What an operator does who changes the driver and keeps the layers. */
async function handOver(dataRoot: string, from: Storage, to: Storage): Promise<void> {
  await rename(`${dataRoot}/${from.storageDriver}`, `${dataRoot}/${to.storageDriver}`);
  await rename(`${dataRoot}/image/${from.storageDriver}`, `${dataRoot}/image/${to.storageDriver}`);
  for (const container of await readdir(`${dataRoot}/containers`)) {
    const path = `${dataRoot}/containers/${container}/config.v2.json`;
    const config = await readFile(path, "utf8");
    await writeFile(path, config.replace(`"Driver":"${from.storageDriver}"`, `"Driver":"${to.storageDriver}"`));
  }
}
