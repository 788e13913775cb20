/** A volume plugin that does everything right. */
import { mkdirSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { CleatError } from "../errors/index.ts";
import { silentLogger } from "../transport/index.ts";
import { assertVolumeName, createVolumeDriverPlugin, type VolumeDriver } from "../volume/index.ts";
import { serveFaultyPlugin, type RightPlugin, type Wrongs } from "./faulty-plugin.test.support.ts";

interface StoredVolume {
  readonly options: Readonly<Record<string, string>>;
  readonly holders: Set<string>;
}

/** What outlives a process. */
export type Store = Map<string, StoredVolume>;

/** Volumes that are folders below `root`. */
export function createFolderVolumes(root: string, store: Store = new Map()): VolumeDriver {
  const pathOf = (name: string) => join(root, name);
  const find = (name: string) => {
    const found = store.get(name);
    if (found === undefined) throw new CleatError("NOT_FOUND", `volume "${name}" does not exist`);
    return found;
  };
  return {
    name: "folders",
    capabilities: async () => ({ scope: "local" }),
    async create(name, { options = {} } = {}) {
      assertVolumeName(name);
      const [unknown] = Object.keys(options).filter((key) => key !== "size");
      if (unknown !== undefined) throw new CleatError("INVALID_ARGUMENT", `volume "${name}": no option "${unknown}"`);
      if (!store.has(name)) store.set(name, { options, holders: new Set() });
      await mkdir(pathOf(name), { recursive: true });
    },
    list: async () => [...store.keys()].map((name) => ({ name, mountpoint: pathOf(name) })),
    get: async (name) => (find(name), { name, mountpoint: pathOf(name), status: {} }),
    async remove(name) {
      if (find(name).holders.size > 0) throw new CleatError("FAILED_PRECONDITION", `volume "${name}" is held`);
      store.delete(name);
      await rm(pathOf(name), { recursive: true });
    },
    path: async (name) => (find(name), pathOf(name)),
    mount: async (name, id) => (find(name).holders.add(id), pathOf(name)),
    unmount: async (name, id) => void find(name).holders.delete(id),
    close: async () => {},
  };
}

/** Volumes that are folders below `root`. */
export const rightVolumes: RightPlugin<VolumeDriver, Store> = {
  implements: "VolumeDriver",
  createStore: () => new Map(),
  open(root, store) {
    mkdirSync(root, { recursive: true });
    return createFolderVolumes(root, store);
  },
  serve: (driver) => createVolumeDriverPlugin({ driver, logger: silentLogger }),
};

export const serveFaulty = (wrongs?: Wrongs<VolumeDriver>, isForgetful?: boolean) =>
  serveFaultyPlugin(rightVolumes, wrongs, isForgetful);
