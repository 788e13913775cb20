/** What fails of volumes that are folders, or files: in the driver's process, not in those that it starts. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";

import { hasMounts, isMountPoint, openManagedVolumes, volumeTypes } from "cleat/volumedrivers";

import { withOther } from "./with-other.mjs";

const optionsOf = { local: { type: "local" }, image: { type: "image", size: "8m" } };
const open = async (type, folder) => {
  const volumes = await openManagedVolumes({ name: "cleat", folder, types: volumeTypes });
  return Object.assign(volumes, { type, folder });
};

/** "absent" is also what is half removed, and made anew by who asks for it. */
async function lookAt(volumes, id) {
  const known = (await volumes.list()).some(({ name }) => name === id);
  if (!known || !volumes.isWhole(id)) return "absent";
  const held = volumes.holders(id).length > 0;
  if (held && volumes.type === "image") assert.ok(isMountPoint(`${volumes.folder}/mounts/${id}`), "held, not mounted");
  const { size } = (await volumes.get(id)).status.Options ?? {};
  return `${held ? "held" : "there"}${size === larger ? ", larger" : ""}`;
}

const larger = String(16 * 2 ** 20);
const create = (volumes, id) => volumes.create(id, { options: optionsOf[volumes.type] });
const mount = (volumes, id) => volumes.mount(id, "holder");
const unmount = (volumes, id) => volumes.unmount(id, "holder");
const createAndMount = async (volumes, id) => {
  await create(volumes, id);
  await mount(volumes, id);
};

const onVolumes = (operation) => ({
  open,
  async prepare() {},
  look: lookAt,
  async tidy(volumes, id) {
    const found = await lookAt(volumes, id);
    if (found.startsWith("held")) await unmount(volumes, id);
    if (found !== "absent") await volumes.remove(id);
  },
  async assertClean(type, folder) {
    const volumes = await open(type, folder);
    await volumes.close();
    assert.equal(hasMounts(folder), false);
    assert.deepEqual([readdirSync(`${folder}/volumes`), readdirSync(`${folder}/mounts`)], [[], []]);
  },
  subjects: ["records"],
  ...operation,
});

export const volumeOperations = {
  "create volume": onVolumes({ run: create, before: ["absent"], after: ["there"] }),
  "mount volume": onVolumes({ prepare: create, run: mount, before: ["there"], after: ["held"] }),
  "unmount volume": onVolumes({ prepare: createAndMount, run: unmount, before: ["held"], after: ["there"] }),
  "resize volume": onVolumes({
    prepare: create,
    run: (volumes, id) => volumes.resize(id, Number(larger)),
    before: ["there"],
    after: ["there, larger"],
  }),
  "remove volume": onVolumes({
    prepare: create,
    run: (volumes, id) => volumes.remove(id),
    before: ["there"],
    after: ["absent"],
  }),
  "open volumes": onVolumes({
    async open(type, folder) {
      return Object.assign(await open(type, folder), { openOther: () => open(type, `${folder}-other`) });
    },
    prepare: (volumes) =>
      withOther(volumes, async (other) => {
        if ((await lookAt(other, "kept")) === "absent") await createAndMount(other, "kept");
      }),
    run: (volumes) => withOther(volumes, async () => {}),
    look: (volumes) => withOther(volumes, (other) => lookAt(other, "kept")),
    async tidy() {},
    async assertClean() {},
    before: ["held"],
    after: ["held"],
  }),
};
