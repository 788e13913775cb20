import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { CleatError, isSystemError } from "../../errors/index.ts";
import { type Locations, pluginLocations } from "../../host/index.ts";
import type { CommandContext } from "./command.ts";
import { isPrivate } from "./private-folder.ts";

type UserContext = Pick<CommandContext, "env" | "uid">;

/** Where Cleat keeps what is its own: `/var/lib/cleat`, or an ordinary user's data folder. */
export function defaultRoot({ env, uid }: UserContext): string {
  if (uid === 0) return "/var/lib/cleat";
  return join(ifAbsolute(env["XDG_DATA_HOME"]) ?? join(env["HOME"] ?? homedir(), ".local/share"), "cleat");
}

/** Where engines look for plugins, and before that where `socketFolderToServeIn` puts those of this user. */
export async function findLocations(user: UserContext): Promise<Locations> {
  const { sockets, specs } = pluginLocations(user);
  const own = ownFolder(user);
  return { sockets: own !== undefined && (await isPrivate(own, user.uid)) ? [own, ...sockets] : sockets, specs };
}

/**
 * The folder for the socket of a plugin that is to be served. An ordinary user without a runtime folder gets one in
 * `/tmp`.
 * @throws PERMISSION_DENIED when that is not a folder of this user's alone: another could put a socket of his own
 * there.
 */
export async function socketFolderToServeIn(user: UserContext): Promise<string> {
  const [first = ""] = pluginLocations(user).sockets;
  const own = ownFolder(user);
  if (own === undefined) return first;
  await mkdir(own, { mode: 0o700 }).catch((error: unknown) => {
    if (!isSystemError(error, "EEXIST")) throw error;
  });
  if (await isPrivate(own, user.uid)) return own;
  throw new CleatError(
    "PERMISSION_DENIED",
    `folder "${own}" is not this user's alone; set XDG_RUNTIME_DIR or --socket`,
  );
}

/** Of users who have no folder that engines look into. */
function ownFolder({ env, uid }: UserContext): string | undefined {
  return uid === 0 || ifAbsolute(env["XDG_RUNTIME_DIR"]) !== undefined ? undefined : `/tmp/cleat-${uid}`;
}

/** The specification has relative paths in these variables ignored. Source: XDG Base Directory 0.8. */
function ifAbsolute(path: string | undefined): string | undefined {
  return path?.startsWith("/") === true ? path : undefined;
}
