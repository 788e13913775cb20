import { lstat, mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { CleatError, isSystemError } from "../errors/index.ts";
import type { Surroundings } from "./command.ts";

type Who = Pick<Surroundings, "env" | "uid">;

/** Where Cleat keeps what is its own: `/var/lib/cleat`, or an ordinary user's data folder. */
export function defaultRoot({ env, uid }: Who): string {
  if (uid === 0) return "/var/lib/cleat";
  return join(absolute(env["XDG_DATA_HOME"]) ?? join(env["HOME"] ?? homedir(), ".local/share"), "cleat");
}

/**
 * Where engines look for sockets, best first.
 * Source: moby v20.10.24 `pkg/plugins/discovery.go`, and v26.1.0 `pkg/plugins/discovery_unix.go` for rootless engines.
 */
export function socketFolders({ env, uid }: Who): string[] {
  const runtime = absolute(env["XDG_RUNTIME_DIR"]);
  const rootless = uid !== 0 && runtime !== undefined ? [join(runtime, "docker/plugins")] : [];
  return [...rootless, "/run/docker/plugins"];
}

/** Where engines look for spec files, best first. */
export function specFolders({ env, uid }: Who): string[] {
  const config = absolute(env["XDG_CONFIG_HOME"]) ?? join(env["HOME"] ?? homedir(), ".config");
  return [...(uid === 0 ? [] : [join(config, "docker/plugins")]), "/etc/docker/plugins", "/usr/lib/docker/plugins"];
}

/**
 * The folder for the socket of a plugin that is to be served. An ordinary user without a runtime folder gets one in
 * `/tmp`.
 * @throws PERMISSION_DENIED when that is not a folder of this user's alone: another could put a socket of his own
 * there.
 */
export async function socketFolderToServeIn(who: Who): Promise<string> {
  const [first = ""] = socketFolders(who);
  if (who.uid === 0 || absolute(who.env["XDG_RUNTIME_DIR"]) !== undefined) return first;
  const own = `/tmp/cleat-${who.uid}`;
  await mkdir(own, { mode: 0o700 }).catch((error: unknown) => {
    if (!isSystemError(error, "EEXIST")) throw error;
  });
  const found = await lstat(own);
  if (!found.isDirectory() || found.uid !== who.uid || (found.mode & 0o077) !== 0) {
    throw new CleatError(
      "PERMISSION_DENIED",
      `folder "${own}" is not this user's alone; set XDG_RUNTIME_DIR or --socket`,
    );
  }
  return own;
}

/** The specification has relative paths in these variables ignored. Source: XDG Base Directory 0.8. */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith("/") === true ? path : undefined;
}
