/**
 * `dockerd --userns-remap`: root of a container is nobody on the host, and each file belongs to whom the container
 * thinks.
 */
import { readdir, stat } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { writeBaseArchive } from "../../harness/images/base-image.ts";
import { diffOf, identityOf, keepRunning } from "../../harness/engines/containers.ts";
import { openEngine, startEngine, type Engine } from "../../harness/engines/engine.ts";
import { leftoversAtLast, removeEverything } from "../../harness/engines/leftovers.ts";
import { builtinOverlay2, cleatBtrfs, cleatOverlay2, cleatVfs, describeOn } from "../../harness/engines/storage.ts";

const remap = { firstId: 100_000 };

/** Root of a user namespace makes no devices. */
const changes = `
  set -e
  umask 022
  cd /data
  echo new > added
  chown 7:8 added modified
  chmod 4750 chmodded
  rm deleted
  rm -r deleted-folder
  mv renamed-folder renamed-folder-to
  rm -r replaced
  mkdir replaced
  echo fresh > replaced/fresh
`;

/** As root of the container sees it; names that a shell splits are left out. */
const listing = `
  cd /data
  names=$(find . -path './untouched/*' -prune -o -print | sort)
  for name in $names untouched/one untouched/two untouched/sticky untouched/pipe untouched/disk; do
    if [ -d $name ]; then stat -c '%n %A %u:%g' $name; else stat -c '%n %A %u:%g %h %s' $name; fi
    if [ -f $name ]; then sha256sum $name; fi
  done
`;

describeWith(
  [needs.root, needs.dockerd, needs.overlay, needs.busybox, needs.attr],
  "containers in user namespaces",
  () => {
    describeOn(byDayOrNight([cleatOverlay2, cleatBtrfs], [cleatVfs, builtinOverlay2]), (storage) => {
      let engine: Engine & AsyncDisposable;
      let flat: string;
      const seen = (image: string) => engine.docker("run", "--rm", "--network", "none", image, "sh", "-c", listing);
      const replayed = () => engine.namespace.run(["chroot", flat, "sh", "-c", listing]);

      beforeAll(async () => {
        engine = await openEngine(storage, { remap });
        const { folder, run } = engine.namespace;
        const archive = `${folder}/base.tar`;
        await writeBaseArchive(archive);
        await engine.docker("import", archive, "base");
        flat = `${folder}/flat`;
        await run(["mkdir", flat]);
        await run(["tar", "--extract", `--file=${archive}`, `--directory=${flat}`, "-p"]);
      });
      afterAll(() => engine?.[Symbol.asyncDispose]());

      test("an image belongs to whom its archive says", async () => {
        expect(await seen("base")).toBe((await replayed()).trimEnd());
      });

      test("what a container writes is kept under mapped ids, and committed under its own", async () => {
        await keepRunning(engine, "changed", "base", changes);
        await engine.namespace.run(["chroot", flat, "sh", "-c", changes]);
        expect(await diffOf(engine, "changed")).toEqual([
          "A /data/added",
          "A /data/renamed-folder-to",
          "A /data/renamed-folder-to/one",
          "A /data/renamed-folder-to/two",
          "A /data/replaced/fresh",
          "C /data",
          "C /data/chmodded",
          "C /data/modified",
          "C /data/replaced",
          "D /data/deleted",
          "D /data/deleted-folder",
          "D /data/renamed-folder",
          "D /data/replaced/one",
          "D /data/replaced/sub",
          "D /data/replaced/two",
        ]);
        const pid = await engine.docker("inspect", "--format", "{{.State.Pid}}", "changed");
        const onHost = await engine.namespace.run(["stat", "-c", "%u:%g", `/proc/${pid}/root/data/added`]);
        expect(onHost.trim()).toBe(`${remap.firstId + 7}:${remap.firstId + 8}`);
        await engine.docker("commit", "changed", "committed");
        expect(await seen("committed")).toBe((await replayed()).trimEnd());
      });

      test("an image that was saved is the same on an engine without", async () => {
        const saved = `${engine.namespace.folder}/saved.tar`;
        await engine.docker("save", "--output", saved, "committed");
        const plain = await startEngine(engine.namespace, builtinOverlay2, `${engine.namespace.folder}/plain`);
        await plain.docker("load", "--input", saved);
        expect(await identityOf(plain, "committed")).toEqual(await identityOf(engine, "committed"));
        const run = ["run", "--rm", "--network", "none", "committed", "sh", "-c", listing];
        expect(await plain.docker(...run)).toBe((await replayed()).trimEnd());
        await plain.dockerd.end("SIGTERM");
      });

      test("others of the host may not look into the layers", async () => {
        const home = engine.namespace.reach(engine.home);
        expect((await readdir(home)).length).toBeGreaterThan(0);
        expect((await stat(home)).mode & 0o7).toBe(0);
        await removeEverything(engine);
        expect(await leftoversAtLast(engine)).toEqual({ mounts: [], layers: [] });
      });
    });
  },
);
