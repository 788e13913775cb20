/**
 * A small volume driver that is complete all the same. A volume is a folder, and everything about it is in there, so
 * that whoever kills this process loses nothing:
 *
 *     ROOT/NAME/files/         what containers see
 *     ROOT/NAME/holders/ID     an empty file for each holder
 *     ROOT/NAME/options.json   as they were given
 *     ROOT/.UUID               on its way in or out
 *
 * As with a driver that mounts, a volume has a path only while somebody holds it.
 */
import { randomUUID } from "node:crypto";
import { existsSync, watch } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { CleatError, isSystemError } from "cleat/errors";

/** moby v20.10.24 `volume/mounts/parser.go` and `daemon/names/names.go`, `RestrictedNamePattern`. */
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const holderPattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,200}$/;

/** Options, and what makes a value of each one good. */
const knownOptions = {
  /** Permissions of the volume's folder, octal. */
  mode: (value) => /^[0-7]{3,4}$/.test(value),
  /** A file: `mount` waits until somebody has made it, as it would for a disk that is slow to attach. */
  gate: (value) => isAbsolute(value),
};

/** Volumes as folders under `root`, which is made if it is not there. */
export async function openFolderVolumes(root) {
  await mkdir(root, { recursive: true });
  const closing = new AbortController();
  /** Mounts under way, by volume: who calls again while one is, waits for that one. */
  const mounting = new Map();

  const folderOf = (name) => {
    if (namePattern.test(name)) return join(root, name);
    throw new CleatError("INVALID_ARGUMENT", `volume name ${JSON.stringify(name)} is not of the form ${namePattern}`);
  };
  const existing = async (name) => {
    const folder = folderOf(name);
    if ((await orUndefined(stat(folder))) === undefined) throw unknown(name);
    return folder;
  };
  /** `undefined` where there is no such volume, or no more. */
  const look = async (name) => {
    const folder = folderOf(name);
    const found = await orUndefined(Promise.all([stat(folder), readdir(join(folder, "holders"))]));
    if (found === undefined) return undefined;
    const [{ birthtime }, holders] = found;
    const mountpoint = holders.length > 0 ? join(folder, "files") : undefined;
    return { name, mountpoint, createdAt: birthtime, status: { Holders: holders.length } };
  };
  const get = async (name) => {
    const volume = await look(name);
    if (volume === undefined) throw unknown(name);
    return volume;
  };
  const makeReady = async (folder) => {
    const { gate } = JSON.parse(await readFile(join(folder, "options.json"), "utf8"));
    if (gate !== undefined) await untilThere(gate, closing.signal);
  };
  const makeReadyOnce = (name, folder) => {
    const underWay = mounting.get(name) ?? makeReady(folder).finally(() => mounting.delete(name));
    mounting.set(name, underWay);
    return underWay;
  };

  return {
    name: "folders",
    async capabilities() {
      return { scope: "local" };
    },
    async create(name, { options = {} } = {}) {
      const folder = folderOf(name);
      assertKnown(name, options);
      const staged = join(root, `.${randomUUID()}`);
      const mode = Number.parseInt(options.mode ?? "755", 8);
      await mkdir(join(staged, "holders"), { recursive: true });
      await mkdir(join(staged, "files"), { mode });
      await writeFile(join(staged, "options.json"), JSON.stringify(options));
      try {
        await rename(staged, folder);
      } catch (error) {
        await rm(staged, { recursive: true });
        if (!isSystemError(error, "ENOTEMPTY")) throw error;
        await assertSameOptions(name, folder, options);
      }
    },
    async list() {
      const names = (await readdir(root)).filter((name) => namePattern.test(name));
      return (await Promise.all(names.map(look))).filter((volume) => volume !== undefined);
    },
    get,
    async remove(name) {
      const folder = await existing(name);
      const holders = await readdir(join(folder, "holders"));
      if (holders.length > 0) {
        const held = holders.length === 1 ? "1 holder" : `${holders.length} holders`;
        throw new CleatError("FAILED_PRECONDITION", `volume "${name}" is in use by ${held}`);
      }
      const staged = join(root, `.${randomUUID()}`);
      await rename(folder, staged);
      await rm(staged, { recursive: true });
    },
    async path(name) {
      return (await get(name)).mountpoint;
    },
    async mount(name, id) {
      const folder = await existing(name);
      const holder = holderFile(folder, id);
      await makeReadyOnce(name, folder);
      await writeFile(holder, "");
      return join(folder, "files");
    },
    async unmount(name, id) {
      await rm(holderFile(await existing(name), id), { force: true });
    },
    async close() {
      closing.abort();
    },
  };
}

function assertKnown(name, options) {
  for (const [option, value] of Object.entries(options)) {
    const isGood = Object.hasOwn(knownOptions, option) ? knownOptions[option] : undefined;
    const known = Object.keys(knownOptions).join(", ");
    if (isGood === undefined) {
      throw new CleatError("INVALID_ARGUMENT", `volume "${name}": unknown option "${option}"; known are ${known}`);
    }
    if (!isGood(value)) throw new CleatError("INVALID_ARGUMENT", `volume "${name}": bad value of option "${option}"`);
  }
}

async function assertSameOptions(name, folder, options) {
  const sorted = (record) => JSON.stringify(Object.entries(record).toSorted());
  const found = JSON.parse(await readFile(join(folder, "options.json"), "utf8"));
  if (sorted(found) === sorted(options)) return;
  throw new CleatError("ALREADY_EXISTS", `volume "${name}" exists with other options`);
}

function unknown(name) {
  return new CleatError("NOT_FOUND", `volume "${name}" does not exist`);
}

function holderFile(folder, id) {
  if (holderPattern.test(id)) return join(folder, "holders", id);
  throw new CleatError("INVALID_ARGUMENT", `holder ${JSON.stringify(id)} is not of the form ${holderPattern}`);
}

/** Resolves once somebody has made the file; rejects when `signal` aborts before. */
function untilThere(path, signal) {
  return new Promise((resolve, reject) => {
    const watcher = watch(dirname(path), { signal });
    const look = () => {
      if (!existsSync(path)) return;
      resolve();
      watcher.close();
    };
    watcher.on("change", look).on("error", reject);
    watcher.on("close", () => reject(new CleatError("CANCELLED", `gate "${path}": the plugin closes`)));
    look();
  });
}

async function orUndefined(promise) {
  try {
    return await promise;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}
