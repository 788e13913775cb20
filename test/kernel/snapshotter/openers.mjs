/** Ways to open a snapshotter over one of Cleat's drivers, each `(driver) => (root) => Promise<Snapshotter>`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { btrfs, fuseOverlayfs, overlay2, vfs } from "cleat/drivers";
import { createGrpcChannel } from "cleat/grpc";
import { createRemoteSnapshotter, openGraphDriverSnapshotter } from "cleat/snapshotter";

const factories = { overlay2, "fuse-overlayfs": fuseOverlayfs, btrfs, vfs };
const cli = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));

export const openers = {
  inProcess: (driver) => (root) => openGraphDriverSnapshotter({ driver: factories[driver], root: `${root}/snapshots` }),

  /** `cleat serve snapshotter` in a process of its own, which ends as it is told. */
  served: (driver) => async (root) => {
    const socket = `${root}/cleat/s.sock`;
    const words = ["serve", "snapshotter", "--driver", driver, "--root", `${root}/snapshots`, "--socket", socket];
    const server = spawn(process.execPath, [cli, ...words, "--log-level", "warn"], {
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
};
