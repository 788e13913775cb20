import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { CleatError, isSystemError } from "../../errors/index.ts";
import { type Locations, pluginLocations } from "../../transport/index.ts";
import type { CommandContext } from "./command.ts";
import { isPrivate } from "./private-folder.ts";

type UserContext = Pick<CommandContext, "env" | "uid">;

/** Where Cleat keeps what is its own: `/var/lib/cleat`, or an ordinary user's data folder. */
export function defaultRoot({ env, uid }: UserContext): string {
  return uid === 0 ? "/var/lib/cleat" : join(dataFolder(env), "cleat");
}

function dataFolder(env: UserContext["env"]): string {
  return ifAbsolute(env["XDG_DATA_HOME"]) ?? join(env["HOME"] ?? homedir(), ".local/share");
}

/**
 * Where a snapshotter keeps its layers: where containerd believes that of the name "cleat" to be. kubelet is told that
 * path, and watches the disk there. Source: containerd v1.6.20 `pkg/cri/server/service.go` `imageFSPath`.
 */
export function defaultSnapshotterRoot({ env, uid }: UserContext): string {
  const folder = "containerd/io.containerd.snapshotter.v1.cleat";
  return uid === 0 ? join("/var/lib", folder) : join(dataFolder(env), folder);
}

/** Where containerd is told to find it. @throws as `socketFolderToServeIn`. */
export async function defaultSnapshotterSocket({ env, uid }: UserContext): Promise<string> {
  const socket = "cleat/snapshotter.sock";
  if (uid === 0) return join("/run", socket);
  const runtime = ifAbsolute(env["XDG_RUNTIME_DIR"]);
  return runtime === undefined
    ? join(await socketFolderToServeIn({ env, uid }), "snapshotter.sock")
    : join(runtime, socket);
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

/** Where containerd listens unless it is told otherwise. Source: containerd v1.6.20 `defaults/defaults_unix.go`. */
export const defaultContainerdSocket = "/run/containerd/containerd.sock";
