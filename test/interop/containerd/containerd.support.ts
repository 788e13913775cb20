import { writeFile } from "node:fs/promises";
import { connectContainerd, type Containerd } from "../../../src/containerd/index.ts";
import { type Daemon, untilReady } from "../../harness/daemon.ts";
import type { Namespace } from "../../harness/namespace.ts";

export interface ContainerdConfig {
  /** Tells several in one namespace apart; default "containerd". */
  readonly name?: string;
  /** Of the configuration file, in TOML, behind what every test has there. */
  readonly more?: string;
}

/** A containerd that meets nothing of the host's, and a client for it. */
export interface RunningContainerd extends AsyncDisposable {
  readonly daemon: Daemon;
  readonly client: Containerd;
  /** Where the host reaches its API. */
  readonly socketPath: string;
  /** Runs `ctr` and returns what it printed. */
  ctr(...args: string[]): Promise<string>;
}

/** The namespace of containerd's that tests work in. */
export const testNamespace = "test";

const readyDeadlineMs = 60_000;

/** Starts containerd on data of its own, which are there again when it is started anew. */
export async function startContainerd(
  namespace: Namespace,
  { name = "containerd", more = "" }: ContainerdConfig,
): Promise<RunningContainerd> {
  const folder = `${namespace.folder}/${name}`;
  const socketPath = `${folder}.sock`;
  const config = `${folder}.toml`;
  await writeFile(config, `${baseConfig(folder, socketPath)}\n${more}`);
  const daemon = await namespace.start(name, ["containerd", "--config", config]);
  const client = connectContainerd({ socket: socketPath, namespace: testNamespace });
  const answers = () =>
    client.services.version.version({}).then(
      () => true,
      () => false,
    );
  await untilReady(daemon, "containerd to answer", readyDeadlineMs, answers);
  return {
    daemon,
    client,
    socketPath,
    ctr: (...args) => namespace.run(["ctr", "--address", socketPath, "--namespace", testNamespace, ...args]),
    async [Symbol.asyncDispose]() {
      await client.close();
      await daemon.end("SIGTERM");
    },
  };
}

/** The format of 1.6 and 1.7, which 2.x reads, too. What needs the network or the host's own folders is left out. */
function baseConfig(folder: string, socketPath: string): string {
  return `version = 2
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]
[grpc]
  address = "${socketPath}"
[ttrpc]
  address = "${folder}/ttrpc.sock"`;
}
