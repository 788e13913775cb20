import { spawnSync } from "node:child_process";
import { rootFolder, type Suite } from "#scripts/unpacked/engine-roots.mjs";
import { byDayOrNight } from "../../night.ts";

/** The engines of one Debian release: this machine's, or another's in a folder of their own. */
export interface EngineRelease {
  readonly suite: Suite | "machine";
  /** The folder that is the root of what runs of it; undefined where that is the machine's own. */
  readonly root: string | undefined;
  /** Versions ("28.5.2") as the programs tell them, because releases move; undefined where there is none. */
  readonly docker: string | undefined;
  readonly podman: string | undefined;
  readonly containerd: string | undefined;
}

export type EngineName = "docker" | "podman" | "containerd";

/** Docker 20.10, Podman 4.3 and containerd 1.6 on Debian 12. */
export const machine = release("machine");
/** Docker 26.1, Podman 5.4 and containerd 1.7. */
export const trixie = release("trixie");
/** Docker 28.5, Podman 5.8 and containerd 2.1, in November 2026. */
export const forky = release("forky");

/** Whose volumes are tested: by day the newest Docker and the oldest Podman, at night the others. */
export const volumeReleases = {
  docker: byDayOrNight([forky], [machine, trixie]),
  podman: byDayOrNight([machine], [trixie, forky]),
} as const;

/**
 * Volume plugins are known to all; graph driver plugins were taken out of Docker in version 28, and switched off in 27.
 */
export function hasGraphDriverPlugins({ docker = "" }: Pick<EngineRelease, "docker">): boolean {
  return Number.parseInt(docker, 10) <= 26;
}

/** "Docker 28.5.2"; where it cannot be asked, whose it is. */
export function titleOf({ suite, ...versions }: EngineRelease, engine: EngineName): string {
  return `${titles[engine]} ${versions[engine] ?? `of ${suite}`}`;
}

const titles = { docker: "Docker", podman: "Podman", containerd: "containerd" } as const;

function release(suite: EngineRelease["suite"]): EngineRelease {
  const root = suite === "machine" ? undefined : rootFolder(suite);
  let versions: Versions | undefined;
  const read = () => (versions ??= readVersions(root));
  return {
    suite,
    root,
    get docker() {
      return read().docker;
    },
    get podman() {
      return read().podman;
    },
    get containerd() {
      return read().containerd;
    },
  };
}

type Versions = Pick<EngineRelease, EngineName>;

/** Podman does not start where there is no `/proc`. */
const inRoot = ["unshare", "--mount", "sh", "-c", 'mount --bind /proc "$0/proc" && exec chroot "$0" "$@"'];
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A tenth of a second; only root can ask in a folder. */
function readVersions(root: string | undefined): Versions {
  const ask = ["env", `PATH=${path}`, "sh", "-c", "dockerd --version; podman --version; containerd --version"];
  const [command = "", ...args] = root === undefined ? ask : [...inRoot, root, ...ask];
  const { stdout } = spawnSync(command, args, { encoding: "utf8" });
  const versionOf = (name: string) =>
    new RegExp(`^${name} (?:version|\\S+) v?(\\d+\\.\\d+\\.\\d+)`, "im").exec(stdout)?.[1];
  return { docker: versionOf("docker"), podman: versionOf("podman"), containerd: versionOf("containerd") };
}
