import { equal, ok } from "node:assert/strict";
import { isAbsolute } from "node:path";
import type { VolumeCheck } from "../context.ts";

const plugins = "docs/extend/plugins_volume.md of moby v20.10.24";
const makes = "volumes";

/** Podman's only holder. */
const podman = "2f73349cfc4630255319c6c8dfc1b46a8996ace9d14d8e07563b165915918ec2";

export const holderChecks: readonly VolumeCheck[] = [
  {
    id: "holders/path",
    title: "mount answers an absolute path, and path and get tell the same while it is mounted",
    source: plugins,
    symptom: "docker volume inspect shows another folder than the container has, and backups are of the wrong one.",
    makes,
    async run({ driver, create, mount }) {
      const name = await create();
      const path = await mount(name, "c1");
      ok(isAbsolute(path), `mounted at "${path}"`);
      equal(await driver.path(name), path);
      const { mountpoint } = await driver.get(name);
      equal(mountpoint ?? path, path);
    },
  },
  {
    id: "holders/two",
    title: "a volume that one of two holders gives back stays mounted for the other",
    source: plugins,
    symptom: "When one of two containers stops, the other one's files are gone.",
    makes,
    async run({ driver, create, mount, refused }) {
      const name = await create();
      const path = await mount(name, "c1");
      equal(await mount(name, "c2"), path, "two holders see two paths");
      await driver.unmount(name, "c1");
      equal(await driver.path(name), path);
      await refused(driver.remove(name), "FAILED_PRECONDITION", name);
    },
  },
  {
    id: "holders/same-twice",
    title: "a holder that mounts twice gives back once",
    source: "podman v4.3.1 libpod/volume_internal_linux.go: one ID for all containers, and its own count",
    symptom: "With Podman, after a call that timed out, a volume stays mounted for good and cannot be removed.",
    makes,
    async run({ driver, create, mount }) {
      const name = await create();
      equal(await mount(name, podman), await mount(name, podman));
      await driver.unmount(name, podman);
      await driver.remove(name);
    },
  },
  {
    id: "holders/stranger",
    title: "unmount by one that does not hold the volume takes it from nobody else, and succeeds",
    source: "moby v20.10.24 daemon/volumes_unix.go: after a crash of the daemon unmounts come again",
    symptom:
      "After a restart of the engine, docker rm fails with the plugin's error; or a running container loses files.",
    makes,
    async run({ driver, create, mount }) {
      const name = await create();
      const path = await mount(name, "c1");
      await driver.unmount(name, "stranger");
      equal(await driver.path(name), path);
    },
  },
  {
    id: "holders/given-back-twice",
    title: "unmount by one that has given the volume back succeeds",
    source: "moby v20.10.24 pkg/plugins/client.go callWithRetry: an unmount whose answer was lost comes again",
    symptom: "docker stop reports a failure, and the container stays in docker ps -a.",
    makes,
    async run({ driver, create, mount }) {
      const name = await create();
      await mount(name, "c1");
      await driver.unmount(name, "c1");
      await driver.unmount(name, "c1");
      await driver.remove(name);
    },
  },
  {
    id: "holders/remove-in-use",
    title: "remove of a volume that somebody holds is refused, and the volume stays",
    source: plugins,
    symptom: "After a crash of the daemon, which forgets who holds what, docker volume rm deletes a container's files.",
    makes,
    async run({ driver, create, mount, refused }) {
      const name = await create();
      const path = await mount(name, "c1");
      await refused(driver.remove(name), "FAILED_PRECONDITION", name);
      equal(await driver.path(name), path);
      await driver.unmount(name, "c1");
      await driver.remove(name);
    },
  },
  {
    id: "holders/again",
    title: "a volume can be mounted again after the last holder has gone",
    source: plugins,
    symptom: "docker restart fails.",
    makes,
    async run({ driver, create, mount }) {
      const name = await create();
      for (const id of ["c1", "c2", "c1"]) {
        ok(isAbsolute(await mount(name, id)));
        await driver.unmount(name, id);
      }
    },
  },
  {
    id: "holders/together",
    title: "16 holders that mount at once see one path, and the last who gives back ends it",
    source: "docker compose up, which starts containers side by side",
    symptom: "Of containers that are started together some see an empty volume, or it stays mounted for good.",
    makes,
    async run({ driver, create, mount }) {
      const name = await create();
      const ids = Array.from({ length: 16 }, (_, at) => `c${at}`);
      const paths = await Promise.all(ids.map((id) => mount(name, id)));
      equal(new Set(paths).size, 1);
      await Promise.all(ids.map((id) => driver.unmount(name, id)));
      await driver.remove(name);
    },
  },
  {
    id: "holders/created-together",
    title: "16 creates of one volume at once make one volume",
    source: "docker compose up, which creates a shared volume for each service",
    symptom: "A service of several fails to start with an error of a volume that is there.",
    makes,
    async run({ driver, newName, options }) {
      const name = newName();
      await Promise.all(Array.from({ length: 16 }, () => driver.create(name, { options })));
      equal((await driver.list()).filter((volume) => volume.name === name).length, 1);
    },
  },
];
