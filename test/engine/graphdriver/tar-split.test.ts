/**
 * What engines keep of the archives of their layers is read by us: each comes back with the digest that the engine
 * knows it by.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { assembleLayerAt } from "cleat/layer";
import { describeWith, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { writeBaseArchive } from "../../harness/images/base-image.ts";
import { identityOf, runScript } from "../../harness/engines/containers.ts";
import { openEngine, type Engine } from "../../harness/engines/engine.ts";
import { shellLayer, writeImageArchive } from "../../harness/images/image-archive.ts";
import { openNamespace } from "../../harness/namespaces/namespace.ts";
import { openPodman } from "../../harness/engines/podman.ts";
import { sampleChanges } from "../../harness/images/sample-changes.ts";
import { builtinOverlay2, cleatOverlay2, cleatVfs, describeOn } from "../../harness/engines/storage.ts";

describeWith([needs.root, needs.dockerd, needs.overlay, needs.busybox, needs.attr], "Docker's tar-split data", () => {
  describeOn(byDayOrNight([cleatOverlay2], [builtinOverlay2, cleatVfs]), (storage) => {
    let engine: Engine & AsyncDisposable;

    beforeAll(async () => {
      engine = await openEngine(storage);
      const { namespace, docker } = engine;
      await writeBaseArchive(`${namespace.folder}/base.tar`);
      await docker("import", `${namespace.folder}/base.tar`, "base");
      await runScript(engine, "changed", "base", sampleChanges.script);
      await docker("commit", "changed", "committed");
      await writeImageArchive(`${namespace.folder}/small.tar`, "small", [shellLayer]);
      await docker("load", "--input", `${namespace.folder}/small.tar`);
    });
    afterAll(() => engine?.[Symbol.asyncDispose]());

    test("of an imported, a committed and a loaded image gives layers of the same digests", async () => {
      const known = [...(await layersOf("committed")), ...(await layersOf("small"))];
      expect(known).toHaveLength(3);
      const { namespace, dockerd, home } = engine;
      const layers = namespace.reach(`${dockerd.dataRoot}/image/${storage.storageDriver}/layerdb/sha256`);
      const digests: string[] = [];
      for (const chain of await readdir(layers)) {
        const layer = await readFile(`${layers}/${chain}/cache-id`, "utf8");
        const tree = namespace.reach(await treeOf(home, layer));
        digests.push(await digestOf({ tree, data: `${layers}/${chain}/tar-split.json.gz` }));
      }
      expect(digests.toSorted()).toEqual(known.toSorted());
    });

    const layersOf = async (image: string) => (await identityOf(engine, image)).layers;

    async function treeOf(folder: string, layer: string): Promise<string> {
      const copy = `${folder}/dir/${layer}`;
      return existsSync(engine.namespace.reach(copy)) ? copy : `${folder}/${layer}/diff`;
    }
  });
});

describeWith([needs.root, needs.podman, needs.overlay, needs.busybox, needs.attr], "Podman's tar-split data", () => {
  test("of an imported and a loaded image gives layers of the same digests", async () => {
    await using namespace = await openNamespace();
    const { folder, run } = namespace;
    const { podman } = await openPodman(namespace, {});
    await writeBaseArchive(`${folder}/base.tar`);
    await podman("import", `${folder}/base.tar`, "base");
    await writeImageArchive(`${folder}/small.tar`, "small", [shellLayer]);
    await podman("load", "--input", `${folder}/small.tar`);

    const graph = `${folder}/podman/graph`;
    const layers = JSON.parse(await run(["cat", `${graph}/overlay-layers/layers.json`])) as readonly PodmanLayer[];
    expect(layers).toHaveLength(2);
    for (const { id, "diff-digest": digest } of layers) {
      const data = namespace.reach(`${graph}/overlay-layers/${id}.tar-split.gz`);
      expect(await digestOf({ tree: namespace.reach(`${graph}/overlay/${id}/diff`), data })).toBe(digest);
    }
  });
});

/** As Podman 4.3.1 writes them. */
interface PodmanLayer {
  readonly id: string;
  /** Of the archive, not compressed. */
  readonly "diff-digest": string;
}

async function digestOf(place: Parameters<typeof assembleLayerAt>[0]): Promise<string> {
  const hash = createHash("sha256");
  await assembleLayerAt(place, { write: (bytes) => void hash.update(bytes) });
  return `sha256:${hash.digest("hex")}`;
}
