import { once } from "node:events";
import type { Stats } from "node:fs";
import { chmod, chown, link, lstat, mkdtemp, rename, rm } from "node:fs/promises";
import type { Server } from "node:net";
import { dirname, join } from "node:path";
import { makeFolders } from "../../files/index.ts";
import { CleatError, isSystemError, toCleatError, TransportError } from "../../errors/index.ts";
import { probeListener } from "../../plugin/index.ts";
import { socketPathExcess } from "../../transport/index.ts";
import { ownName, pluginName, startGuardian } from "./guardian.ts";
import { assertNotStoodInFor, folderPrefix } from "./left-behind.ts";

/**
 * A server in the place of a plugin's socket. Beside that there is a folder, into which engines do not look (they want
 * a socket of its name in it), with two names:
 *
 *     .t-XXXXXX/own      the server's socket; a second name of it stands where the plugin's was
 *     .t-XXXXXX/plugin   the plugin's socket, which works under any name
 *
 * Both are hard links, and put in place by one rename: there is no moment without a socket, and what an engine has open
 * stays open.
 */
export interface StandIn {
  /** The plugin's socket while the server has its place. */
  readonly pluginPath: string;
  /**
   * Takes the place, with the permissions of the plugin's socket; of one that listens elsewhere the place must be free.
   * @throws UNAVAILABLE when nobody listens there, FAILED_PRECONDITION when something else is there, PERMISSION_DENIED
   * when this user may not, ABORTED when the socket was replaced meanwhile.
   */
  enter(): Promise<void>;
  /**
   * Looks whether the plugin is there still. Where it has gone, gives its place free, so that it can come back; where
   * another socket is in its place on which somebody listens, takes the place from that. May be called while nothing
   * else is.
   */
  look(): Promise<"gone" | "back" | undefined>;
  /** Puts the plugin's socket back, and closes nothing. May be called twice. */
  end(): Promise<void>;
}

/**
 * Makes `server` listen, and stand in for the socket at `path` (absolute, symlinks resolved) from `enter` on; `isFree`
 * where the plugin listens elsewhere and nothing is at `path`. The plugin's socket is put back when this process ends,
 * by `kill -9` too.
 * @throws FAILED_PRECONDITION when another process stands in for it already, or the path is too long.
 */
export async function createStandIn(server: Server, path: string, isFree: boolean): Promise<StandIn> {
  const parent = dirname(path);
  assertLength(parent);
  if (isFree) await makeFolders(parent, 0o755);
  await assertNotStoodInFor(path);
  const folder = await mkdtemp(join(parent, folderPrefix)).catch((error: unknown) => {
    throw toCleatError(error, `socket "${path}" cannot be moved aside`);
  });
  const own = join(folder, ownName);
  const pluginPath = join(folder, pluginName);
  const next = join(folder, "next"); // its name on the way into its place
  let guardian;
  try {
    server.listen(own);
    await once(server, "listening");
    await chmod(own, 0o600);
    guardian = await startGuardian(path, folder);
  } catch (error) {
    server.close();
    await rm(folder, { recursive: true, force: true });
    throw toCleatError(error, `socket "${path}"`);
  }

  async function enter(): Promise<void> {
    try {
      if (isFree) await link(own, path);
      else await takePlace();
    } catch (error) {
      throw toCleatError(error, `socket "${path}" cannot be moved aside`);
    }
  }

  async function takePlace(): Promise<void> {
    const found = await socketAt(path);
    if ((await probeListener({ path })) === "nobody") throw nobodyListens(path);
    await rm(pluginPath, { force: true });
    await link(path, pluginPath);
    await chown(own, found.uid, found.gid);
    await chmod(own, found.mode & 0o777);
    await rm(next, { force: true });
    await link(own, next);
    if (!isSame(await lstat(pluginPath), await socketAt(path))) {
      throw new CleatError("ABORTED", `socket "${path}" was replaced meanwhile`);
    }
    await rename(next, path);
  }

  return {
    pluginPath,
    enter,
    async look() {
      if (isFree) return undefined;
      const found = await lstat(path).catch(absentWhenMissing);
      if (found === undefined) return undefined;
      if (!isSame(found, await lstat(own))) {
        if (!found.isSocket() || (await probeListener({ path })) !== "somebody") return undefined;
        await enter();
        return "back";
      }
      if ((await probeListener({ path: pluginPath })) !== "nobody") return undefined;
      await rm(pluginPath, { force: true }); // first: the guardian puts back what is there
      const now = await lstat(path).catch(absentWhenMissing);
      if (now !== undefined && isSame(now, await lstat(own))) await rm(path, { force: true });
      return "gone";
    },
    end: () => guardian.restore(),
  };
}

function nobodyListens(path: string): TransportError {
  const message = `nobody listens on socket "${path}": start the plugin first`;
  return new TransportError("UNAVAILABLE", message, { reachedPeer: false });
}

async function socketAt(path: string): Promise<Stats> {
  const found = await lstat(path).catch(absentWhenMissing);
  if (found === undefined) throw nobodyListens(path);
  if (!found.isSocket()) throw new CleatError("FAILED_PRECONDITION", `path "${path}" is not a socket`);
  return found;
}

function isSame(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

function absentWhenMissing(error: unknown): undefined {
  if (!isSystemError(error, "ENOENT")) throw error;
}

function assertLength(parent: string): void {
  const excess = socketPathExcess(join(parent, `${folderPrefix}XXXXXX`, pluginName));
  if (excess === 0) return;
  const message = `folder "${parent}" has a path ${excess} bytes too long to move a socket aside in it`;
  throw new CleatError("FAILED_PRECONDITION", message);
}
