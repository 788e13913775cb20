import { once } from "node:events";
import type { Stats } from "node:fs";
import { chmod, chown, link, lstat, mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { makeFolders } from "../../files/index.ts";
import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import { assertPluginName } from "../../protocol/index.ts";
import { type Listening, pluginLocations, socketPathExcess } from "../../transport/index.ts";
import { probeListener } from "./probe-listener.ts";
import { absentWhenMissing, isSame, removeStaleSocket } from "./stale-socket.ts";

export interface UnixListen {
  /** Absolute path of the socket. Its folder is made if it is not there. */
  readonly unix: string;
  /** Of the folder, if it is made; default 0755. */
  readonly folderMode?: number;
  /** Numeric ids; default those of the process. */
  readonly owner?: number;
  readonly group?: number;
  /** Default 0600: who may write to the socket commands the plugin. */
  readonly mode?: number;
}

/**
 * The socket where engines of this user look first for the plugin `name`: in `/run/docker/plugins`, for ordinary users
 * in `$XDG_RUNTIME_DIR/docker/plugins`.
 * @throws INVALID_ARGUMENT when `name` may not name a plugin.
 */
export function socketOfPlugin(name: string): UnixListen {
  assertPluginName(name);
  const [first = ""] = pluginLocations().sockets;
  return { unix: join(first, `${name}.sock`) };
}

/**
 * Makes `server` listen on a unix socket. The socket is made in a private folder beside its place and gets there,
 * owner and mode set, by a hard link, which never replaces anything: of two processes that start at once, one loses.
 * A socket that is in the way is replaced only when nobody listens on it. (Engines do not look into that folder: they
 * would want a socket of its name.)
 * @throws FAILED_PRECONDITION when somebody listens there, or what is there is not a socket; nothing was changed then.
 * @throws PERMISSION_DENIED when this user may not open what is there, or make anything in its folder.
 * @throws INVALID_ARGUMENT when the path is too long for a socket.
 */
export async function listenOnUnix(
  server: Server,
  { unix: path, folderMode = 0o755, owner, group, mode = 0o600 }: UnixListen,
): Promise<Listening> {
  assertSocketPath(path);
  const staging = await prepareFolder(path, folderMode).catch((error: unknown) => {
    throw toCleatError(error, `socket "${path}"`);
  });
  try {
    const staged = join(staging, "s");
    await bind(server, staged);
    await chmod(staged, mode);
    if (owner !== undefined || group !== undefined) await chown(staged, owner ?? -1, group ?? -1);
    const ours = await lstat(staged);
    await putInPlace(staged, path);
    return { address: `unix://${path}`, remove: () => removeIfSame(path, ours) };
  } catch (error) {
    server.close();
    throw toCleatError(error, `socket "${path}"`);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** @throws as `listenOnUnix`, when somebody listens at `path` or it can be no socket; makes nothing. */
export async function assertSocketFree(path: string): Promise<void> {
  assertSocketPath(path);
  await statReplaceable(path);
}

/** Makes what the socket is to be bound in, unless something is in the way. */
async function prepareFolder(path: string, mode: number): Promise<string> {
  const parent = dirname(path);
  await makeFolders(parent, mode).catch((error: unknown) => {
    if (!isSystemError(error, "EEXIST", "ENOTDIR")) throw error;
    throw new CleatError("FAILED_PRECONDITION", `socket "${path}": a part of its path is not a folder`, {
      cause: error,
    });
  });
  await statReplaceable(path);
  return await mkdtemp(join(parent, stagingPrefix));
}

async function bind(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, "listening");
}

async function putInPlace(staged: string, path: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await link(staged, path);
    } catch (error) {
      if (!isSystemError(error, "EEXIST") || tries === 100) throw error;
    }
    const stale = await statReplaceable(path);
    if (stale !== undefined && !(await removeStaleSocket(path, stale))) await delay(10);
  }
}

/**
 * What stands at `path` and may go: a socket on which nobody listens, or nothing.
 * @throws FAILED_PRECONDITION for anything else.
 */
async function statReplaceable(path: string): Promise<Stats | undefined> {
  const found = await lstat(path).catch(absentWhenMissing);
  if (found === undefined) return undefined;
  if (!found.isSocket()) {
    throw new CleatError("FAILED_PRECONDITION", `socket "${path}": what is there is not a socket, and was left alone`);
  }
  const listener = await probeListener({ path });
  if (listener === "forbidden") {
    const why = "this user may not open it to see whether anybody listens";
    throw new CleatError("PERMISSION_DENIED", `socket "${path}" is there, and ${why}; it was left alone`);
  }
  if (listener === "somebody") {
    const advice = "stop it first, or take another socket";
    throw new CleatError("FAILED_PRECONDITION", `socket "${path}": another process listens on it; ${advice}`);
  }
  return found;
}

async function removeIfSame(path: string, ours: Stats): Promise<void> {
  const found = await lstat(path).catch(absentWhenMissing);
  if (found !== undefined && isSame(found, ours)) await rm(path, { force: true });
}

const stagingPrefix = ".c-";

function assertSocketPath(path: string): void {
  if (!path.startsWith("/") || path.includes("\0")) {
    throw new CleatError("INVALID_ARGUMENT", `socket path ${JSON.stringify(path)} is not absolute`);
  }
  const staged = join(dirname(path), `${stagingPrefix}XXXXXX`, "s");
  const excess = Math.max(socketPathExcess(path), socketPathExcess(staged));
  if (excess > 0) {
    throw new CleatError("INVALID_ARGUMENT", `socket path "${path}" is ${excess} bytes too long for the kernel`);
  }
}
