import { equal, deepEqual, ok } from "node:assert/strict";
import { lstat, readdir } from "node:fs/promises";
import { readChecked, writeChecked } from "../checked-file.ts";
import type { VolumeCheck } from "../context.ts";
import { files } from "../needs.ts";

const makes = "volumes, with a small file";
const source = "docs/extend/plugins_volume.md of moby v20.10.24";

export const fileChecks: readonly VolumeCheck[] = [
  {
    id: "files/folder",
    title: "what is mounted is a folder that can be written to",
    source: "moby v20.10.24 daemon/volumes_unix.go setupMounts",
    symptom: "docker run fails with an error of runc's about the mount.",
    makes,
    needs: files,
    async run({ create, mount }) {
      const path = await mount(await create(), "c1");
      ok((await lstat(path)).isDirectory(), "is no folder");
      await using _ = await writeChecked(path, "x");
    },
  },
  {
    id: "files/kept",
    title: "files are there again after the last holder has gone and another one comes",
    source,
    symptom: "Data is lost as soon as a container is replaced.",
    makes,
    needs: files,
    async run({ driver, create, mount }) {
      const name = await create();
      await using file = await writeChecked(await mount(name, "c1"), "kept");
      await driver.unmount(name, "c1");
      equal(await readChecked(await mount(name, "c2"), file.name), "kept");
    },
  },
  {
    id: "files/seen-by-all",
    title: "what one holder writes the others see",
    source,
    symptom: "Two containers that share a volume see different files.",
    makes,
    needs: files,
    async run({ create, mount }) {
      const name = await create();
      const [first, second] = [await mount(name, "c1"), await mount(name, "c2")];
      await using file = await writeChecked(first, "seen");
      equal(await readChecked(second, file.name), "seen");
    },
  },
  {
    id: "files/apart",
    title: "volumes have files of their own",
    source,
    symptom: "One application reads and overwrites the files of another.",
    makes,
    needs: files,
    async run({ create, mount }) {
      const [first, second] = [await mount(await create(), "c1"), await mount(await create(), "c1")];
      await using file = await writeChecked(first, "first");
      ok(!(await readdir(second)).includes(file.name), "a file of one volume is in the other");
    },
  },
  {
    id: "files/empty-again",
    title: "a volume that is made under the name of a removed one has none of its files",
    source,
    symptom: "docker volume rm and create bring back what was deleted, perhaps of another user.",
    makes,
    needs: files,
    async run({ driver, create, mount }) {
      const name = await create();
      const before = await mount(name, "c1");
      const empty = await readdir(before);
      await using _ = await writeChecked(before, "old");
      await driver.unmount(name, "c1");
      await driver.remove(name);
      await create(name);
      deepEqual(await readdir(await mount(name, "c1")), empty);
    },
  },
];
