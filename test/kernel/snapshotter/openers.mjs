/** Ways to open a snapshotter over one of Cleat's drivers, each `(driver) => (root) => Promise<Snapshotter>`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { btrfs, fuseOverlayfs, overlay2, vfs } from "cleat/drivers";
import { createGrpcChannel } from "cleat/grpc";
import { createRemoteSnapshotter, openGraphDriverSnapshotter } from "cleat/snapshotter";

const factories = { overlay2, "fuse-overlayfs": fuseOverlayfs, btrfs, vfs };
const cli = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));

export const openers = {
  inProcess:
    (driver) =>
    (root, { durability } = {}) =>
      openGraphDriverSnapshotter({ driver: factories[driver], root: `${root}/snapshots`, durability }),

  /** `cleat serve snapshotter` in a process of its own, which ends as it is told. */
  served: (driver) => async (root) => {
    const socket = `${root}/cleat/s.sock`;
    const words = ["serve", "snapshotter", "--driver", driver, "--root", `${root}/snapshots`, "--socket", socket];
    const server = spawn(process.execPath, [cli, ...words, "--log-level", "error"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(server, "exit");
    await Promise.race([
      once(server.stdout, "data"),
      ended.then(([code]) => Promise.reject(new Error(`ended: ${code}`))),
    ]);
    const channel = createGrpcChannel({ unix: socket });
    return {
      ...createRemoteSnapshotter({ channel, snapshotter: "cleat" }),
      async close() {
        await channel.close();
        server.kill();
        const [code] = await ended;
        if (code !== 0) throw new Error(`server ended with ${code}`);
      },
    };
  },

  /** One of containerd's own, behind containerd's socket. */
  containerds: (snapshotter) => async (root) => {
    const socket = `${root}/containerd.sock`;
    mkdirSync(`${root}/data`, { recursive: true });
    writeFileSync(`${root}/config.toml`, containerdConfig(root, socket));
    const daemon = spawn("containerd", ["--config", `${root}/config.toml`], { stdio: "ignore" });
    const ended = once(daemon, "exit");
    const channel = createGrpcChannel({ unix: socket });
    const metadata = { "containerd-namespace": "kit" };
    const remote = createRemoteSnapshotter({ channel, snapshotter, metadata });
    await untilAnswers(() => remote.usage("nobody"), ended);
    return {
      ...remote,
      async close() {
        await channel.close();
        daemon.kill();
        await ended;
      },
    };
  },
};

function containerdConfig(root, socket) {
  return `version = 2
root = "${root}/data"
state = "${root}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "${socket}"
[ttrpc]
  address = "${root}/ttrpc.sock"
# Nothing refers to the kit's snapshots, so that the collector would take them away under it.
[plugins."io.containerd.gc.v1.scheduler"]
  deletion_threshold = 0
  mutation_threshold = 1000000000
  startup_delay = "24h"
`;
}

/** Whatever it answers: there is somebody. */
async function untilAnswers(ask, ended) {
  let isOver = false;
  void ended.then(() => (isOver = true));
  for (;;) {
    const code = await ask().then(
      () => undefined,
      (error) => error.code,
    );
    if (code !== "UNAVAILABLE") return;
    if (isOver) throw new Error("the peer has ended");
    await delay(50);
  }
}
