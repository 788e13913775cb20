import { userInfo } from "node:os";
import { join } from "node:path";
import { isSystemError } from "../../errors/index.ts";

/** Folders in which plugins are looked for, best first. */
export interface Locations {
  /** Hold sockets: `NAME.sock`, `NAME/NAME.sock`. */
  readonly sockets: readonly string[];
  /** Hold spec files: `NAME.spec`, `NAME/NAME.spec`, `NAME.json`, `NAME/NAME.json`. */
  readonly specs: readonly string[];
}

export interface UserContext {
  /** Default this process's. */
  readonly uid?: number | undefined;
  /** Default this process's. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * Where engines look. Those of ordinary users look in the user's own folders first; root inside RootlessKit, which sets
 * `ROOTLESSKIT_STATE_DIR`, is an ordinary user. The system's folders follow always, because a plugin of the machine may
 * admit users.
 *
 * Source: moby v20.10.24 `pkg/plugins/discovery.go`; for rootless engines v26.1.0 `pkg/plugins/discovery_unix.go`,
 * whose check of the configuration folder is inverted so that it is never used, and `pkg/homedir/homedir_linux.go`.
 */
export function pluginLocations({ uid = process.getuid?.(), env = process.env }: UserContext = {}): Locations {
  const sockets = ["/run/docker/plugins"];
  const specs = ["/etc/docker/plugins", "/usr/lib/docker/plugins"];
  if (uid === 0 && !env["ROOTLESSKIT_STATE_DIR"]) return { sockets, specs };
  const home = ifAbsolute(env["HOME"]) ?? homeOnRecord();
  const runtime = ifAbsolute(env["XDG_RUNTIME_DIR"]);
  const config = ifAbsolute(env["XDG_CONFIG_HOME"]) ?? joinIfKnown(home, ".config");
  return {
    sockets: [...pluginFolderIn(runtime), ...sockets],
    specs: [...pluginFolderIn(config), ...pluginFolderIn(joinIfKnown(home, ".local/lib")), ...specs],
  };
}

function pluginFolderIn(folder: string | undefined): string[] {
  return folder === undefined ? [] : [join(folder, "docker/plugins")];
}

function joinIfKnown(home: string | undefined, folder: string): string | undefined {
  return home === undefined ? undefined : join(home, folder);
}

/** The specification has relative paths in these variables ignored. Source: XDG Base Directory 0.8. */
function ifAbsolute(path: string | undefined): string | undefined {
  return path?.startsWith("/") === true ? path : undefined;
}

/** Containers often run as a user whom `/etc/passwd` does not know: then there is no home. */
function homeOnRecord(): string | undefined {
  try {
    return ifAbsolute(userInfo().homedir);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
