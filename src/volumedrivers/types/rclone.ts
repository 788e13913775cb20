import { existsSync } from "node:fs";
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { CleatError, isSystemError } from "../../errors/index.ts";
import { careForFuse, type FuseProgramOf, mountFuse, unmountFuse } from "../fuse/supervision.ts";
import type { ManagedVolume, VolumeBackend, VolumeCall } from "../managed/volume-backend.ts";
import { isMountPoint } from "../mounting/mount-file-system.ts";
import { runHelper } from "../mounting/run-helper.ts";
import { mountListOption } from "../options/mount-list.ts";
import type { OptionsOf } from "../options/option-table.ts";
import { pathOption, secretOption, textOption } from "../options/option-types.ts";
import { usageWhileMounted } from "./usage-while-mounted.ts";

const options = {
  device: textOption(),
  o: mountListOption().default([]),
  config: pathOption().optional(),
  backend: z
    .string()
    .regex(/^[a-z][a-z\d]*$/, { error: 'takes a name such as "webdav" or "s3"' })
    .optional(),
};

type Volume = ManagedVolume<OptionsOf<typeof options>>;

/** Those that say how files are shown and kept, and none that names a program or a file. Source: rclone(1) 1.60. */
const allowed =
  /^(?:ro|rw|uid=\d+|gid=\d+|umask=[0-7]+|vfs-cache-mode=(?:off|minimal|writes|full)|vfs-cache-max-size=\d+[KMG]?|dir-cache-time=\d+[smh])$/;

/** Of a backend, such as "webdav-url"; those that name a command are run as root. */
const ofBackend = /^[a-z][a-z\d]*(?:-[a-z\d]+)+$/;
const namesCommand = /command|-ssh$/;
/** What its configuration would read as something else. Source: Unknwon/goconfig v1.0.0 `read.go`, `conf.go`. */
const unkeepable = /^["'`\s]|\s$|%\(/;
/** What rclone wants to be told in its own disguise. */
const isPassword = /-(?:pass|password2?|key-file-pass)$/;

/**
 * What rclone reaches: `device` is "remote:path" of a `config` file of the host, or a path of a `backend` whose options stand
 * beside it ("webdav-url"), of which none is shown. Files are sent when they are closed; what a server has not taken yet is
 * kept in the volume's folder, and sent when it is mounted next.
 */
export const rclone: VolumeBackend<typeof options> = {
  options,
  others: secretOption(),
  check({ device, o, config, backend, ...others }) {
    const names = Object.keys(others);
    const strange = names.find((name) => !ofBackend.test(name) || namesCommand.test(name));
    if (strange !== undefined) return `${JSON.stringify(strange)} is no option of rclone's that a volume may have`;
    const foreign = names.find((name) => backend === undefined || !name.startsWith(`${backend}-`));
    if (foreign !== undefined) return `${JSON.stringify(foreign)} needs "backend", whose option it is`;
    const unkept = Object.entries(others).find(([, value]) => unkeepable.test(String(value)));
    if (unkept !== undefined) return `${JSON.stringify(unkept[0])} has a value that no file of rclone's keeps`;
    if (backend !== undefined && config !== undefined) return '"backend" and "config" are two ways; give one';
    if (backend === undefined && !/^[\w.][\w. -]*:[^,]*$/.test(device))
      return '"device" takes "remote:path", of "config"';
    if (backend !== undefined && /[:,]/.test(device)) return '"device" takes a path without colons and commas';
    return o.some((option) => !allowed.test(option))
      ? '"o" takes ro, uid=, gid=, umask=, vfs-cache-mode=, vfs-cache-max-size= and dir-cache-time='
      : undefined;
  },
  mount: (volume, call) => mountFuse(volume, programOf(volume), call),
  async unmount(volume, call) {
    if (isMountPoint(volume.target)) await waitUntilSent(volume, call);
    await unmountFuse(volume, programOf(volume), call);
  },
  care: (volume, care) => careForFuse(volume, programOf(volume), care),
  async assertRemovable({ folder }) {
    const [unsent] = await unsentFiles(cacheIn(folder));
    if (unsent === undefined) return;
    const message = `it holds files that its server has not got yet, such as ${JSON.stringify(unsent)}; mount it once more`;
    throw new CleatError("FAILED_PRECONDITION", message);
  },
  usage: usageWhileMounted,
};

function programOf({ folder, target, options: given }: Volume): FuseProgramOf {
  const { device, o, config, backend, ...others } = given;
  return async (signal) => {
    const own = o.flatMap((option) => (option === "rw" ? [] : [option === "ro" ? "--read-only" : `--${option}`]));
    // A remote by a name in a file: of one in a text or in the environment rclone keeps unsent files under a name that
    // changes with the disguise of its password, and forgets them.
    const file = config ?? join(folder, "rclone.conf");
    if (backend !== undefined) await writeConfig(file, backend, others as Readonly<Record<string, string>>, signal);
    return {
      program: "rclone",
      args: [
        "mount",
        backend === undefined ? device : `${ownRemote}:${device}`,
        target,
        `--config=${file}`,
        "--allow-other",
        "--vfs-cache-mode=writes",
        "--vfs-write-back=100ms", // containers that have ended are not waited for
        `--cache-dir=${cacheIn(folder)}`,
        "--log-level=ERROR",
        ...own,
      ],
    };
  };
}

const ownRemote = "volume";

/** For root only, and once: rclone writes tokens to it that it has renewed. */
async function writeConfig(
  path: string,
  backend: string,
  given: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  if (existsSync(path)) return;
  const lines = [`[${ownRemote}]`, `type = ${backend}`];
  for (const [name, value] of Object.entries(given)) {
    const key = name.slice(`${backend}-`.length).replaceAll("-", "_");
    lines.push(`${key} = ${isPassword.test(name) ? await disguise(value, signal) : value}`);
  }
  await writeFile(`${path}.new`, `${lines.join("\n")}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

function cacheIn(folder: string): string {
  return join(folder, "cache");
}

/** As rclone keeps passwords; no secret, but the only way to hand one over. */
async function disguise(password: string, signal: AbortSignal): Promise<string> {
  return (await runHelper("rclone", ["obscure", "-"], { signal, input: password })).trim();
}

/** How long a server may take for what containers have written last. */
const sendingMs = 10_000;

/** The kernel tells a program behind that a file was closed, and not at all when it is unmounted at once. */
async function waitUntilSent({ name, folder }: Volume, { signal, logger }: VolumeCall): Promise<void> {
  const untilMs = performance.now() + sendingMs;
  for (let waitMs = 10; ; waitMs = Math.min(waitMs * 2, 500)) {
    const { length: files } = await unsentFiles(cacheIn(folder));
    if (files === 0) return;
    if (performance.now() > untilMs) {
      logger.warn(
        { volume: name, files },
        "files are sent when the volume is mounted next: its server does not take them",
      );
      return;
    }
    await delay(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** Of which rclone has noted that the server lacks what was written. Source: rclone 1.60 `vfs/vfscache/item.go` `Info`. */
async function unsentFiles(cache: string): Promise<string[]> {
  const notes = join(cache, "vfsMeta");
  const names = await readdir(notes, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (isSystemError(error, "ENOENT")) return [];
    throw error;
  });
  const unsent: string[] = [];
  for (const entry of names) {
    if (!entry.isFile()) continue;
    const text = await readFile(join(entry.parentPath, entry.name), "utf8");
    if (/"Dirty":\s*true/.test(text)) unsent.push(entry.name);
  }
  return unsent;
}
