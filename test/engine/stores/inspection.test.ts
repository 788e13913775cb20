/** `cleat layers` and `cleat fsck` on the stores of a Docker that runs, and of one that was stopped. */
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeWith, needs } from "../../needs.ts";
import { writeBaseArchive } from "../../harness/images/base-image.ts";
import { idling } from "../../harness/engines/containers.ts";
import { startEngine } from "../../harness/engines/engine.ts";
import { openNamespace, type Namespace } from "../../harness/namespaces/namespace.ts";
import { builtinOverlay2, cleatOverlay2, describeOn } from "../../harness/engines/storage.ts";

const command = join(import.meta.dirname, "../../../dist/cli/main.js");

describeWith([needs.root, needs.dockerd, needs.overlay, needs.busybox], "Docker's stores", () => {
  let namespace: Namespace;
  beforeEach(async () => {
    namespace = await openNamespace();
    await writeBaseArchive(`${namespace.folder}/base.tar`);
  });
  afterEach(() => namespace?.[Symbol.asyncDispose]());

  const cleat = (...args: string[]): Promise<string> => namespace.run([process.execPath, command, ...args]);
  const stores = async (...args: string[]) => JSON.parse(await cleat(...args, "--json")).stores;

  describeOn([builtinOverlay2, cleatOverlay2], (storage) => {
    test("are shown with Docker's names, left alone while it runs, and mended when it is stopped", async () => {
      const dataRoot = `${namespace.folder}/docker`;
      const { docker, dockerd, cleat: plugin, home } = await startEngine(namespace, storage, dataRoot);
      await docker("import", `${namespace.folder}/base.tar`, "base:1");
      await docker("run", ...idling, "--name", "box", "base:1", "sleep", "3600");
      await docker("create", "--network", "none", "--name", "idle", "base:1", "true");

      const [store] = await stores("layers", dataRoot);
      expect(store).toMatchObject({ home, engine: { kind: "docker", root: dataRoot } });
      const rows = store.layers.map((layer: { role: string; names: string[]; mounts: object[]; orphaned: unknown }) => [
        layer.role,
        layer.names[0],
        layer.mounts.length,
        layer.orphaned,
      ]);
      expect(rows.toSorted()).toEqual([
        ["container", "box", 1, null],
        ["container", "idle", 0, null],
        ["image", "base:1", 0, null],
        ["init", "box", 0, null],
        ["init", "idle", 0, null],
      ]);
      expect(await stores("fsck", home)).toMatchObject([{ inUse: true, findings: [] }]);
      await expect(cleat("fsck", home, "--repair")).rejects.toThrow("stop it first");

      await docker("kill", "box");
      await dockerd.end("SIGTERM");
      await plugin?.end("SIGTERM");
      const folder = namespace.reach(home);
      const init = (await readdir(folder)).find((name) => name.endsWith("-init")) ?? "";
      await rm(`${folder}/l/${await readFile(`${folder}/${init}/link`, "utf8")}`);
      const [repaired] = await stores("fsck", home, "--repair");
      expect(repaired).toMatchObject({ repaired: [{ kind: "link-missing", layer: init }], findings: [] });
      expect((await readdir(folder)).includes(".cleat")).toBe(storage === cleatOverlay2);

      const again = await startEngine(namespace, storage, dataRoot);
      await again.docker("start", "--attach", "idle");
      await again.docker("start", "box");
      await again.docker("rm", "--force", "box", "idle");
      await again.dockerd.end("SIGTERM");
      await again.cleat?.end("SIGTERM");
    });
  });
});
