/** Docker and Podman as users of Cleat's volumes; their commands are alike as far as such tests go. */
import { startEngine } from "../engines/engine.ts";
import type { Namespace } from "../namespaces/namespace.ts";
import { pluginSocket } from "../plugins/plugin-process.ts";
import { openPodman } from "../engines/podman.ts";
import type { EngineRelease } from "../namespaces/release.ts";
import { builtinOverlay2, ofRelease } from "../engines/storage.ts";
import { until } from "../processes/until.ts";
import type { CleatVolumes } from "./cleat-volumes.ts";

export interface EngineOnVolumes {
  command(...args: string[]): Promise<string>;
  /** How many holders two containers are. */
  readonly holdersOfTwo: number;
  /** Ways of ending what it runs, and what has become of `container` then; it answers commands again after them. */
  readonly interruptions: Readonly<Record<InterruptionName, (container: string) => Promise<"stopped" | "gone">>>;
  /** As when the machine goes down: processes of containers are the caller's to kill. */
  goDown(): Promise<void>;
  comeUp(): Promise<void>;
}

/** Rows of tests have names before there is an engine. */
export const interruptionNames = ["while a call runs, or at its end", "at once"] as const;
export type InterruptionName = (typeof interruptionNames)[number];

export async function dockerOnVolumes(namespace: Namespace, release: EngineRelease): Promise<EngineOnVolumes> {
  const { dockerd } = await startEngine(namespace, ofRelease(release, builtinOverlay2), `${namespace.folder}/docker`);
  const again = (signal: "SIGTERM" | "SIGKILL") => async () => {
    await dockerd.end(signal);
    await dockerd.start();
    return "stopped" as const;
  };
  return {
    command: (...args) => dockerd.docker(...args),
    holdersOfTwo: 2,
    interruptions: { "while a call runs, or at its end": again("SIGTERM"), "at once": again("SIGKILL") },
    goDown: () => dockerd.end("SIGKILL"),
    comeUp: () => dockerd.start(),
  };
}

/**
 * Podman has no daemon: a command is killed while a plugin mounts for it, or what watches over a container with the
 * container.
 */
export async function podmanOnVolumes(namespace: Namespace, plugin: CleatVolumes): Promise<EngineOnVolumes> {
  const sockets = { cleat: pluginSocket("cleat") };
  const { podman, startCommand } = await openPodman(namespace, sockets, { pluginTimeoutS: 60 });
  return {
    command: (verb = "", ...args) =>
      podman(verb, ...(verb === "run" ? [`--cgroup-parent=${namespace.controlGroup}`] : []), ...args),
    holdersOfTwo: 1,
    interruptions: {
      async "while a call runs, or at its end"(container) {
        await podman("stop", container);
        const starting = await startCommand("interrupted", "start", container);
        await until("something to be mounted", async () => (await plugin.mounts())[0]);
        await starting.end("SIGKILL");
        return "stopped";
      },
      async "at once"(container) {
        const pids = await podman("inspect", "--format={{.State.ConmonPid}} {{.State.Pid}}", container);
        await namespace.run(["sh", "-c", 'kill -KILL "$@"', "sh", ...pids.split(" ")]);
        // Nobody has told Podman that it has ended, and so it is not started again.
        const remove = () => podman("rm", "--force", "--time=0", container);
        await remove().catch((error: unknown) => {
          // Podman 5.4 says once that nobody knows how it has ended, notes that, and removes it when asked again.
          if (!/conmon exited prematurely/.test(String(error))) throw error;
          return remove();
        });
        return "gone";
      },
    },
    goDown: async () => {},
    /**
     * It takes the machine for started anew where these, in memory, are gone, and its runtimes (runc of Debian 13,
     * crun) know of no container then. Source: podman v4.3 `libpod/runtime.go`.
     */
    async comeUp() {
      for (const folder of [`${namespace.folder}/podman`, "/run/containers", "/run/libpod"])
        for (const path of (await namespace.mountsUnder(folder)).toReversed())
          await namespace.run(["umount", "-l", path]);
      await namespace.run(["rm", "-rf", "/run/containers", "/run/libpod", "/run/runc", "/run/crun"]);
    },
  };
}
