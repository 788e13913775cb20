import { access } from "node:fs/promises";
import { parseVersion, type Version } from "../config/versions.ts";
import { defaultAddress } from "../config/find-containerd.ts";
import { askProgram, findListener, findProgram, optionOf, versionIn } from "../files/installation.ts";

/** A dockerd of this machine. */
export interface FoundDocker {
  /** As it tells it: "20.10.24+dfsg1". */
  readonly versionText: string;
  readonly version: Version;
  readonly configPath: string;
  readonly isRunning: boolean;
  /** What its command line says, which `daemon.json` may not say as well: dockerd does not start then. */
  readonly storageDriverFlag: string | undefined;
  /** The containerd that it is told to use. */
  readonly containerdFlag: string | undefined;
}

export const defaultDaemonJson = "/etc/docker/daemon.json";
const sockets = ["/run/docker.sock", "/var/run/docker.sock"];

/** The dockerd that runs here, or the one that is installed where none does (or this user may not see it). */
export async function findDocker(env: Readonly<Record<string, string | undefined>>): Promise<FoundDocker | undefined> {
  const listeners = await Promise.all(sockets.map((socket) => findListener(socket, "dockerd")));
  const daemon = listeners.find((listener) => listener !== undefined);
  const running = daemon === undefined ? undefined : `/proc/${daemon.pid}/exe`;
  for (const program of [running, await findProgram("dockerd", env)]) {
    const versionText = program === undefined ? undefined : versionIn((await askProgram(program, "--version")) ?? "");
    if (versionText === undefined) continue;
    const argv = daemon?.argv ?? [];
    return {
      versionText,
      version: parseVersion(versionText),
      configPath: optionOf(argv, "--config-file") ?? defaultDaemonJson,
      isRunning: daemon !== undefined,
      storageDriverFlag: optionOf(argv, "--storage-driver", "-s"),
      containerdFlag: optionOf(argv, "--containerd"),
    };
  }
  return undefined;
}

/**
 * Whether dockerd would start a containerd of its own, which knows no plugins of others. It takes the system's where
 * that listens when dockerd starts. Source: moby v28.5.2 `cmd/dockerd/daemon.go`, `initContainerd`.
 */
export async function startsOwnContainerd(containerd: string | undefined): Promise<boolean> {
  if (containerd !== undefined) return false;
  return access(defaultAddress).then(
    () => false,
    () => true,
  );
}
