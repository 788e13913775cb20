import { snapshotsService } from "../../../src/containerd/index.ts";
import { createGrpcChannel, createGrpcClient } from "../../../src/grpc/index.ts";
import { cleatCommand } from "../../harness/cleat.ts";
import { type Daemon, untilReady } from "../../harness/daemon.ts";
import type { Namespace } from "../../harness/namespace.ts";

/** Where the snapshotter of a test listens, in the namespace and outside. */
export function snapshotterSocket(namespace: Namespace): string {
  return `${namespace.folder}/cleat.sock`;
}

/** What containerd is told of Cleat's snapshotter. */
export function snapshotterConfig(namespace: Namespace): string {
  return `
[proxy_plugins.cleat]
  type = "snapshot"
  address = "${snapshotterSocket(namespace)}"`;
}

/** The same, and its differ, before containerd's own. */
export function differConfig(namespace: Namespace): string {
  return `${snapshotterConfig(namespace)}
[proxy_plugins.cleatdiff]
  type = "diff"
  address = "${snapshotterSocket(namespace)}"
[plugins."io.containerd.service.v1.diff-service"]
  default = ["cleatdiff", "walking"]`;
}

/** Starts `cleat serve snapshotter` on the folder `snapshotter` of the namespace; returns when it answers. */
export async function serveSnapshotter(namespace: Namespace, options: readonly string[]): Promise<Daemon> {
  const socket = snapshotterSocket(namespace);
  const argv = ["serve", "snapshotter", `--root=${namespace.folder}/snapshotter`, `--socket=${socket}`, ...options];
  const containerd = options.includes("--diff") ? [`--containerd=${namespace.folder}/containerd.sock`] : [];
  const daemon = await namespace.start("cleat", [...cleatCommand, ...argv, ...containerd, "--log-level=info"]);
  await using channel = createGrpcChannel({ unix: socket });
  const client = createGrpcClient(snapshotsService, channel);
  const answers = () =>
    client.cleanup({}).then(
      () => true,
      () => false,
    );
  await untilReady(daemon, "the snapshotter to answer", 30_000, answers);
  return daemon;
}
