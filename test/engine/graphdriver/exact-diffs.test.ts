/**
 * Docker told that a driver gives back archives: it keeps nothing of them itself, and saves what the plugin's `Diff`
 * streams.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { writeBaseArchive } from "../../harness/images/base-image.ts";
import { contentOfImage, identityOf, runScript } from "../../harness/engines/containers.ts";
import { openEngine, startEngine, type Engine } from "../../harness/engines/engine.ts";
import { shellLayer, writeImageArchive } from "../../harness/images/image-archive.ts";
import { leftoversAtLast, removeEverything } from "../../harness/engines/leftovers.ts";
import { openNamespace } from "../../harness/namespaces/namespace.ts";
import { sampleChanges } from "../../harness/images/sample-changes.ts";
import {
  builtinOverlay2,
  cleatBtrfs,
  cleatFuseOverlayfs,
  cleatOverlay2,
  cleatVfs,
  describeOn,
  withExactDiffs,
} from "../../harness/engines/storage.ts";

describeWith([needs.root, needs.dockerd, needs.overlay, needs.busybox, needs.attr], "exact diffs", () => {
  describeOn(
    byDayOrNight([cleatOverlay2, cleatBtrfs], [cleatFuseOverlayfs, cleatVfs]).map(withExactDiffs),
    (storage) => {
      let engine: Engine & AsyncDisposable;
      let folder: string;
      let identity: Awaited<ReturnType<typeof identityOf>>;
      let content: readonly string[];

      beforeAll(async () => {
        engine = await openEngine(storage);
        ({ folder } = engine.namespace);
        await writeBaseArchive(`${folder}/base.tar`);
        await engine.docker("import", `${folder}/base.tar`, "base");
        await runScript(engine, "changed", "base", sampleChanges.script);
        await engine.docker("commit", "changed", "committed");
        identity = await identityOf(engine, "committed");
        content = await contentOfImage(engine, "committed", "archived");
      });
      afterAll(() => engine?.[Symbol.asyncDispose]());

      test("Docker keeps no data of its own", async () => {
        const layers = `${engine.dockerd.dataRoot}/image/${storage.storageDriver}/layerdb`;
        expect(await engine.namespace.run(["find", layers, "-name", "tar-split*"])).toBe("");
        expect(await engine.namespace.run(["find", layers, "-name", "cache-id"])).not.toBe("");
      });

      test("save streams the plugin's diffs, whose digests are those of what was imported and committed", async () => {
        const before = await countOfDiffs(engine);
        await engine.docker("save", "--output", `${folder}/saved.tar`, "committed");
        expect(await countOfDiffs(engine)).toBe(before + 2);
        expect(await layerDigestsOf(engine, "saved")).toEqual(identity.layers);
      });

      test("what was saved loads, and saves as the same, on Docker's own overlay2 too", async () => {
        await engine.docker("rm", "changed");
        await engine.docker("rmi", "committed", "base");
        await engine.docker("load", "--input", `${folder}/saved.tar`);
        expect(await identityOf(engine, "committed")).toEqual(identity);
        expect(await contentOfImage(engine, "committed", "archived")).toEqual(content);

        const reference = await startEngine(engine.namespace, builtinOverlay2, `${folder}/reference`);
        await reference.docker("load", "--input", `${folder}/saved.tar`);
        expect(await identityOf(reference, "committed")).toEqual(identity);
        expect(await contentOfImage(reference, "committed", "archived")).toEqual(content);
        await reference.docker("save", "--output", `${folder}/reference.tar`, "committed");
        await reference.dockerd.end("SIGTERM");
        expect(await layerDigestsOf(engine, "reference")).toEqual(identity.layers);
      });

      test("layers that another archiver wrote are saved as they were loaded, also after a restart", async () => {
        await writeImageArchive(`${folder}/small.tar`, "small", [shellLayer]);
        await engine.docker("load", "--input", `${folder}/small.tar`);
        const { layers } = await identityOf(engine, "small");
        await engine.dockerd.end("SIGTERM");
        await engine.cleat?.end("SIGTERM");
        await engine.cleat?.start();
        await engine.dockerd.start();
        await engine.docker("save", "--output", `${folder}/small-saved.tar`, "small");
        expect(await layerDigestsOf(engine, "small-saved")).toEqual(layers);
      });

      test("a file that was changed behind Docker's back is never saved", async () => {
        const found = await engine.namespace.run(["find", engine.home, "-path", "*/bin/busybox", "-size", "+0"]);
        for (const path of found.trim().split("\n")) await engine.namespace.run(["sh", "-c", 'printf x >> "$0"', path]);
        await expect(engine.docker("save", "--output", `${folder}/changed.tar`, "small")).rejects.toThrow();
        expect(await logOf(engine)).toContain("bytes that the archive had");
      });

      test("nothing is left when everything is removed", async () => {
        await removeEverything(engine);
        expect(await leftoversAtLast(engine)).toEqual({ mounts: [], layers: [] });
        const kept = await engine.namespace.run(["find", engine.home, "-name", "tar-split.json.gz"]);
        expect(kept).toBe("");
      });
    },
  );
});

describeWith([needs.root, needs.dockerd, needs.overlay, needs.busybox], "the choice of exact diffs", () => {
  const exact = withExactDiffs(cleatOverlay2);
  test.each([
    ["without", "with", cleatOverlay2, exact],
    ["with", "without", exact, cleatOverlay2],
  ] as const)("is for good: an image loaded %s them runs %s, but cannot be saved", async (_, __, before, after) => {
    await using namespace = await openNamespace();
    const { folder } = namespace;
    await writeImageArchive(`${folder}/small.tar`, "small", [shellLayer]);
    const first = await startEngine(namespace, before, `${folder}/docker`);
    await first.docker("load", "--input", `${folder}/small.tar`);
    await first.docker("save", "--output", `${folder}/saved.tar`, "small");
    await first.dockerd.end("SIGTERM");
    await first.cleat?.end("SIGTERM");

    const second = await startEngine(namespace, after, `${folder}/docker`);
    expect(await second.docker("run", "--rm", "--network", "none", "small", "ls", "/")).toContain("bin");
    await expect(second.docker("save", "--output", `${folder}/again.tar`, "small")).rejects.toThrow();
    await second.docker("rmi", "small");
    await second.docker("load", "--input", `${folder}/small.tar`);
    await second.docker("save", "--output", `${folder}/again.tar`, "small");
    expect(await layerDigestsOf(second, "again")).toEqual(await layerDigestsOf(second, "saved"));
  });
});

/** How often the engine asked the plugin for a diff, by the plugin's log. */
async function countOfDiffs(engine: Engine): Promise<number> {
  const log = await logOf(engine);
  return log.split("\n").filter((line) => line.includes('/GraphDriver.Diff"')).length;
}

/** The digests of the layers' archives in an image's archive, the lowest first. */
async function layerDigestsOf({ namespace }: Engine, archive: string): Promise<string[]> {
  const members = `${namespace.folder}/members-of-${archive}`;
  await mkdir(members);
  await namespace.run(["tar", "--extract", `--file=${namespace.folder}/${archive}.tar`, `--directory=${members}`]);
  const manifest = JSON.parse(await readFile(`${members}/manifest.json`, "utf8")) as readonly { Layers: string[] }[];
  const digests: string[] = [];
  for (const layer of manifest[0]?.Layers ?? []) {
    const hash = createHash("sha256").update(await readFile(`${members}/${layer}`));
    digests.push(`sha256:${hash.digest("hex")}`);
  }
  return digests;
}

function logOf({ cleat }: Engine): Promise<string> {
  return readFile(cleat?.logPath ?? "", "utf8");
}
