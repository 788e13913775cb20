import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { CleatError, isSystemError } from "../../../errors/index.ts";
import { replaceFile } from "../../../files/index.ts";
import { careForFuse, type FuseProgramOf, mountFuse, unmountFuse } from "../../fuse/supervision.ts";
import type { ManagedVolume, VolumeBackend, VolumeCall } from "../../managed/volume-backend.ts";
import { isMountPoint } from "../../mounting/mount-file-system.ts";
import { runHelper } from "../../mounting/run-helper.ts";
import { mountListOption } from "../../options/mount-list.ts";
import type { OptionsOf } from "../../options/option-table.ts";
import { pathOption, secretOption, textOption } from "../../options/option-types.ts";
import { optionsOfBackend, type RcloneBackend, rcloneBackends } from "./rclone-options.ts";
import { usageWhileMounted } from "../kernel/usage-while-mounted.ts";

const backends = Object.keys(rcloneBackends) as RcloneBackend[];

const options = {
  device: textOption(),
  o: mountListOption().default([]),
  config: pathOption().optional(),
  backend: z
    .enum(backends, { error: `takes ${backends.join(", ")}; any other needs a "config" of the host's` })
    .optional(),
};

type Volume = ManagedVolume<OptionsOf<typeof options>>;

/** Those that say how files are shown and kept, and none that names a program or a file. Source: rclone(1) 1.60. */
const allowed = [
  /^(?:ro|rw|uid=\d+|gid=\d+|umask=[0-7]+|dir-cache-time=\d+[smh])$/,
  /^vfs-cache-(?:mode=(?:off|minimal|writes|full)|max-size=\d+[KMG]?)$/,
];

/** Every option of a backend's that a volume may have: "webdav-url". */
const known: ReadonlySet<string> = new Set(backends.flatMap((backend) => [...optionsOfBackend(backend)]));
/** Those that name a file of the host's. */
const namesFile = /-file$/;
/** What its configuration would read as something else. Source: Unknwon/goconfig v1.0.0 `read.go`, `conf.go`. */
const unkeepable = /^["'`\s]|\s$|%\(/;
/** A remote in a text, ":webdav,…:", which may name anything. */
const namesRemote = /^:/;
/** What rclone wants to be told in its own disguise. */
const isPassword = /-(?:pass|password2?|key-file-pass)$/;

export interface RcloneSettings {
  /**
   * Folders below which volumes may name files of the host's: configurations, which may name commands that root then
   * runs, and keys. Only who may do that should be able to write there. Default none: every such option is refused.
   */
  readonly configFolders?: readonly string[] | undefined;
}

/**
 * What rclone reaches: `device` is "remote:path" of a `config` file of the host, or a path of a `backend` whose options
 * stand beside it ("webdav-url"), of which none is shown. Files are sent when they are closed; what a server has not
 * taken yet is kept in the volume's folder, and sent when it is mounted next.
 */
export const createRclone = ({ configFolders = [] }: RcloneSettings = {}): VolumeBackend<typeof options> => ({
  options,
  others: secretOption(),
  check: (given) =>
    checkBackend(given) ??
    checkFiles(
      given,
      configFolders.map((folder) => resolve(folder)),
    ),
  mount: (volume, call) => mountFuse(volume, programOf(volume), call),
  async unmount(volume, call) {
    if (isMountPoint(volume.target)) await waitUntilSent(volume, call);
    await unmountFuse(volume, programOf(volume), call);
  },
  care: (volume, care) => careForFuse(volume, programOf(volume), care),
  async assertRemovable({ folder }) {
    const [unsent] = await unsentFiles(cacheIn(folder));
    if (unsent === undefined) return;
    const what = `it holds files that its server has not got yet, such as ${JSON.stringify(unsent)}`;
    throw new CleatError("FAILED_PRECONDITION", `${what}; mount it once more`);
  },
  usage: usageWhileMounted,
});

type Given = OptionsOf<typeof options>;

function checkBackend({ device, o, config, backend, ...others }: Given): string | undefined {
  const names = Object.keys(others);
  const own = backend === undefined ? known : optionsOfBackend(backend);
  const strange = names.find((name) => !own.has(name));
  if (strange !== undefined) return `${JSON.stringify(strange)} is no option of rclone's that a volume may have here`;
  if (backend === undefined && names.length > 0) return `"${names[0]}" needs "backend", whose option it is`;
  const values = Object.entries(others).map(([name, value]) => [name, String(value)] as const);
  const unkept = values.find(([, value]) => unkeepable.test(value));
  if (unkept !== undefined) return `${JSON.stringify(unkept[0])} has a value that no file of rclone's keeps`;
  const remote = values.find(([name, value]) => namesRemote.test(value) && !isPassword.test(name));
  if (remote !== undefined) return `${JSON.stringify(remote[0])} has a value that begins as a remote in a text does`;
  if (backend !== undefined && config !== undefined) return '"backend" and "config" are two ways; give one';
  if (backend === undefined && !/^[\w.][\w. -]*:[^,]*$/.test(device))
    return '"device" takes "remote:path", of "config"';
  if (backend !== undefined && /[:,]/.test(device)) return '"device" takes a path without colons and commas';
  return o.some((option) => !allowed.some((pattern) => pattern.test(option)))
    ? '"o" takes ro, uid=, gid=, umask=, vfs-cache-mode=, vfs-cache-max-size= and dir-cache-time='
    : undefined;
}

/** rclone replaces "$NAME" in some paths by what the environment has, also between two dots. */
function checkFiles(given: Given, folders: readonly string[]): string | undefined {
  const outside = Object.entries(given).find(([name, value]) => {
    if (name !== "config" && !namesFile.test(name)) return false;
    const path = String(value);
    const isPlain = path === resolve(path) && !path.includes("$");
    return !isPlain || !folders.some((folder) => path.startsWith(folder === "/" ? folder : `${folder}/`));
  });
  if (outside === undefined) return undefined;
  if (folders.length === 0) return `"${outside[0]}" is taken from no folder: none was named to the driver`;
  return `"${outside[0]}" takes a file below ${folders.join(" or ")}, by its plain path`;
}

/** Options are read at a start: also what is refused by now can be unmounted. */
function programOf(volume: Volume): FuseProgramOf {
  return async (signal) => {
    const { folder, target, options: given } = volume;
    const { device, o, config, backend, ...others } = given;
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
  await replaceFile(path, (file) => file.writeFile(`${lines.join("\n")}\n`), { mode: 0o600 });
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

/**
 * Of which rclone has noted that the server lacks what was written. Source: rclone 1.60 `vfs/vfscache/item.go` `Info`.
 */
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
