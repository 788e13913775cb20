/** Docker's everyday commands on every storage: what is written is there, what `docker diff` says is exact. */
import { mkdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs } from "../../needs.ts";
import { writeBaseArchive } from "../../harness/images/base-image.ts";
import {
  contentOfImage,
  contentOfRunning,
  diffOf,
  identityOf,
  keepRunning,
  runScript,
} from "../../harness/engines/containers.ts";
import { openEngine, startEngine, type Engine } from "../../harness/engines/engine.ts";
import { replayFlat } from "../../harness/images/flat-replay.ts";
import { shellLayer, writeImageArchive } from "../../harness/images/image-archive.ts";
import { leftovers, leftoversAtLast, removeEverything } from "../../harness/engines/leftovers.ts";
import { sampleChanges } from "../../harness/images/sample-changes.ts";
import { builtinOverlay2, describeOn, laterStorages, storages } from "../../harness/engines/storage.ts";
import { listTree } from "../../harness/images/tree-listing.ts";

/** moby v20.10.24 `layer/layer_store.go`, `maxLayerDepth`; a container puts two more on top. */
const maxLayers = 125;

describeWith([needs.root, needs.dockerd, needs.overlay, needs.busybox, needs.attr], "containers", () => {
  describeOn([...storages, ...laterStorages], (storage) => {
    let engine: Engine & AsyncDisposable;
    let archive: string;

    beforeAll(async () => {
      engine = await openEngine(storage);
      archive = `${engine.namespace.folder}/base.tar`;
      await writeBaseArchive(archive);
      await engine.docker("import", archive, "base");
    });
    afterAll(() => engine?.[Symbol.asyncDispose]());

    test("an imported image holds every kind of file", async () => {
      const content = await contentOfImage(engine, "base", storage.inherits);
      expect(content).toEqual(await replayFlat(engine.namespace, archive, [], storage.inherits));
    });

    test("a container sees its changes, diff lists them exactly, commit keeps them", async () => {
      const replay = [engine.namespace, archive, [sampleChanges.script]] as const;
      await keepRunning(engine, "changed", "base", sampleChanges.script);
      const content = await contentOfRunning(engine, "changed", storage.inherits);
      expect(content).toEqual(await replayFlat(...replay, storage.inherits));
      expect(await diffOf(engine, "changed")).toEqual(sampleChanges.diff);
      await engine.docker("commit", "changed", "committed");
      await engine.docker("rm", "--force", "changed");
      expect(await contentOfImage(engine, "committed", "archived")).toEqual(await replayFlat(...replay, "archived"));
    });

    test("a container that changed nothing has no diff", async () => {
      await runScript(engine, "idle", "base", "cat /data/modified; ls -lR /data > /dev/null");
      expect(await engine.docker("diff", "idle")).toBe("");
    });

    test("a build with several layers and deletions holds what its steps made", async () => {
      const context = `${engine.namespace.folder}/context`;
      const steps = [
        "rm -r /data/deleted-folder && echo one > /data/one",
        "rm /data/one /data/from-context/remove && chmod 600 /data/modified",
        "rm -r /data/replaced && mkdir /data/replaced && echo fresh > /data/replaced/fresh",
        "echo two > /data/one && rm -r /data/replaced && mkdir /data/deleted-folder && mv /data/from-context " +
          "/data/moved",
      ];
      const copied = "mkdir -p /data/from-context && cd /data/from-context && echo keep > keep && echo remove > remove";
      await mkdir(`${context}/files`, { recursive: true });
      await writeFile(`${context}/files/keep`, "keep\n");
      await writeFile(`${context}/files/remove`, "remove\n");
      const lines = ["FROM base", "COPY files /data/from-context", ...steps.map((step) => `RUN ${step}`)];
      await writeFile(`${context}/Dockerfile`, lines.join("\n"));
      await engine.docker("build", "--network", "none", "--tag", "built", context);
      const content = await contentOfImage(engine, "built", "archived");
      expect(content).toEqual(await replayFlat(engine.namespace, archive, [copied, ...steps], "archived"));
    });

    test("save and load give the same image, on Docker's own overlay2 too", async () => {
      const { namespace, docker } = engine;
      await runScript(engine, "to-save", "base", sampleChanges.script);
      await docker("commit", "to-save", "saved");
      const identity = await identityOf(engine, "saved");
      const content = await contentOfImage(engine, "saved", "archived");
      await docker("save", "--output", `${namespace.folder}/saved.tar`, "saved");
      await docker("rmi", "--force", "saved");

      await docker("load", "--input", `${namespace.folder}/saved.tar`);
      expect(await identityOf(engine, "saved")).toEqual(identity);
      expect(await contentOfImage(engine, "saved", "archived")).toEqual(content);

      const reference = await startEngine(namespace, builtinOverlay2, `${namespace.folder}/reference`);
      await reference.docker("load", "--input", `${namespace.folder}/saved.tar`);
      expect(await identityOf(reference, "saved")).toEqual(identity);
      expect(await contentOfImage(reference, "saved", "archived")).toEqual(content);
      await reference.docker("save", "--output", `${namespace.folder}/reference.tar`, "saved");
      await reference.dockerd.end("SIGTERM");
      expect(await membersOf(engine, "reference.tar")).toEqual(await membersOf(engine, "saved.tar"));
    });

    test("an image of as many layers as Docker takes shows what each of them did", async () => {
      const deep = `${engine.namespace.folder}/deep.tar`;
      const names = Array.from({ length: maxLayers - 1 }, (_, index) => `layer-${index}`);
      const recipes = names.map((name, index) => ({ name, fill: (tree: string) => makeDeepLayer(tree, name, index) }));
      await writeImageArchive(deep, "deep", [...recipes, shellLayer]);
      await engine.docker("load", "--input", deep);
      const kept = names.filter((_, index) => index % 2 === 1 || index === maxLayers - 2).toSorted();
      expect(
        (await engine.docker("run", "--network", "none", "--name", "deep", "deep", "ls", "/deep")).split("\n"),
      ).toEqual(kept);
      expect(await engine.docker("diff", "deep")).toBe("");
    });

    test("twenty containers run at once", async () => {
      const { mounts } = await leftovers(engine);
      const names = Array.from({ length: 20 }, (_, index) => `many-${index}`);
      await Promise.all(
        names.map((name) => keepRunning(engine, name, "base", `echo ${name} > /data/mine; rm /data/deleted`)),
      );
      const mine = await Promise.all(names.map((name) => engine.docker("exec", name, "cat", "/data/mine")));
      expect(mine).toEqual(names);
      const diffs = await Promise.all(names.map((name) => diffOf(engine, name)));
      expect(diffs).toEqual(names.map(() => ["A /data/mine", "C /data", "D /data/deleted"]));
      await engine.docker("rm", "--force", ...names);
      expect((await leftovers(engine)).mounts).toEqual(mounts);
    });

    test("nothing is left when everything is removed", async () => {
      await removeEverything(engine);
      expect(await leftoversAtLast(engine)).toEqual({ mounts: [], layers: [] });
    });
  });
});

/** Each layer adds a file, and every other one deletes that of the layer below. */
async function makeDeepLayer(tree: string, name: string, index: number): Promise<void> {
  await mkdir(`${tree}/deep`);
  await writeFile(`${tree}/deep/${name}`, name);
  if (index % 2 === 1) await writeFile(`${tree}/deep/.wh.layer-${index - 1}`, "");
}

/** Names and digests of the files in an archive, and in the archives of layers in it. */
async function membersOf({ namespace }: Engine, archive: string): Promise<readonly string[]> {
  const folder = `${namespace.folder}/members-of-${archive}`;
  await mkdir(folder);
  await namespace.run(["tar", "--extract", `--file=${namespace.folder}/${archive}`, `--directory=${folder}`]);
  const listing = await listTree(namespace.run, folder);
  return listing.filter((line) => !line.includes(" time "));
}
