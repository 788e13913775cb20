import { deepEqual, equal, ok } from "node:assert/strict";
import { volumeDriverProtocol } from "../../../protocol/index.ts";
import { assertSuccess } from "../../wire/answers.ts";
import type { VolumeCheck, VolumeContext } from "../context.ts";

const adapter = "moby v20.10.24 volume/drivers/adapter.go";
const makes = "volumes";

export const lifeCycleChecks: readonly VolumeCheck[] = [
  {
    id: "life/capabilities",
    title: "capabilities tell a scope",
    source: `${adapter} getCapabilities`,
    symptom: "Docker logs a warning and takes the driver for local: a swarm makes volumes of one name on each node.",
    run: assertScope,
  },
  {
    id: "life/created",
    title: "a volume that was made is there: get tells it, list has it once",
    source: `${adapter} Get, List`,
    symptom: "docker volume create succeeds, and docker volume ls or docker run knows nothing of the volume.",
    makes,
    async run({ driver, create }) {
      const name = await create();
      equal((await driver.get(name)).name, name);
      equal((await driver.list()).filter((volume) => volume.name === name).length, 1);
    },
  },
  {
    id: "life/create-twice",
    title: "create of a volume that is there with the same options changes nothing and succeeds",
    source: "moby v20.10.24 pkg/plugins/client.go callWithRetry; docs/extend/plugins_volume.md",
    symptom: "After a slow create, the engine's second try reports a failure although the volume is there.",
    makes,
    async run({ create, driver }) {
      const name = await create();
      await create(name);
      equal((await driver.list()).filter((volume) => volume.name === name).length, 1);
    },
  },
  {
    id: "life/removed",
    title: "a removed volume is gone: get is refused, list lacks it",
    source: `${adapter} Remove`,
    symptom: "docker volume ls shows volumes that cannot be used or removed.",
    makes,
    async run({ driver, create, refused }) {
      const [name, other] = [await create(), await create()];
      await driver.remove(name);
      await refused(driver.get(name), "NOT_FOUND", name);
      const names = (await driver.list()).map((volume) => volume.name);
      deepEqual([names.includes(name), names.includes(other)], [false, true]);
    },
  },
  {
    id: "life/unknown",
    title: "get, path, mount and remove of a volume that is not there are refused",
    source: "docs/extend/plugins_volume.md; podman v4.3.1 libpod/plugin/volume_api.go GetVolume",
    symptom: "A misspelt name starts a container on an empty volume, or Podman ends by a null pointer.",
    async run({ driver, newName, refused }) {
      const name = newName();
      await refused(driver.get(name), "NOT_FOUND", name);
      await refused(driver.path(name), "NOT_FOUND", name);
      await refused(driver.mount(name, "c1"), "NOT_FOUND", name);
      await refused(driver.remove(name), "NOT_FOUND", name);
      equal((await driver.list()).filter((volume) => volume.name === name).length, 0);
    },
  },
  {
    id: "life/options-misspelt",
    title: "an option that the driver does not know is refused",
    source: "moby v20.10.24 volume/local/local.go, which refuses them",
    advice: true,
    symptom: "docker volume create --opt szie=1g succeeds, and the volume has no limit.",
    makes,
    async run({ driver, newName, options, refused }) {
      const name = newName();
      const misspelt = { ...options, "cleat-check-no-such-option": "1" };
      await refused(driver.create(name, { options: misspelt }), "INVALID_ARGUMENT", "cleat-check-no-such-option");
    },
  },
  {
    id: "life/list-cheap",
    title: "list of 20 volumes takes less than a second",
    source: "moby v20.10.24 volume/service/store.go list, which asks all drivers at once and waits for all",
    symptom: "docker volume ls, docker system df and docker volume prune are slow for every driver.",
    makes,
    async run({ driver, create, listLimitMs }) {
      for (let made = 0; made < 20; made++) await create();
      const startedMs = performance.now();
      ok((await driver.list()).length >= 20);
      const tookMs = Math.round(performance.now() - startedMs);
      ok(tookMs < listLimitMs, `took ${tookMs} ms`);
    },
  },
];

/** On the wire where there is one: Cleat's client takes what it does not know for local. */
async function assertScope({ driver, wire }: VolumeContext): Promise<void> {
  const { path, response } = volumeDriverProtocol.methods.capabilities;
  const answer = await wire?.post(path, "{}\n");
  if (answer?.status === 404) return; // an old plugin, which is local
  const scope = answer ? assertSuccess(path, answer, response).Capabilities.Scope : (await driver.capabilities()).scope;
  ok(["local", "global"].includes(scope.toLowerCase()), `scope is ${JSON.stringify(scope)}`);
}
