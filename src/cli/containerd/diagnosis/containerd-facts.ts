import { once } from "node:events";
import { connect } from "node:net";
import { CleatError, isSystemError, toCleatError } from "../../../errors/index.ts";
import { readEffectiveConfig } from "../config/effective-config.ts";
import type { FoundContainerd } from "../config/find-containerd.ts";
import { readDaemon } from "../files/installation.ts";
import { parseToml, type TomlTable } from "../config/toml-text.ts";
import { readEditedFile } from "../files/edited-file.ts";

/** A plugin of a running containerd. */
export interface RunningPlugin {
  readonly type: string;
  readonly id: string;
  /** Why it did not start. */
  readonly failure: string | undefined;
}

/** What is known of a containerd, for who judges it. */
export interface ContainerdFacts extends FoundContainerd {
  /**
   * What it makes of its configuration, or what the file says where it cannot be asked; why not, where neither can be
   * read.
   */
  readonly config: TomlTable | { readonly unreadable: string };
  /** `undefined` where it does not run, or cannot be asked. */
  readonly plugins: readonly RunningPlugin[] | undefined;
  /** What is wrong with the snapshotter at a socket: nothing where it answers. */
  socketFailure(path: string): Promise<string | undefined>;
  /** What the Cleat at a socket was started with; `undefined` where that cannot be seen, or it is no Cleat. */
  optionsOf(path: string): Promise<readonly string[] | undefined>;
  /** Whose layers a folder holds. */
  driverOf(root: string): Promise<string | undefined>;
}

const askDeadlineMs = 2_000;

/** Reads and asks; changes nothing. */
export async function gatherContainerdFacts(found: FoundContainerd, address: string): Promise<ContainerdFacts> {
  const [config, plugins] = await Promise.all([readConfig(found), listPlugins(address)]);
  return { ...found, config, plugins, socketFailure, optionsOf, driverOf };
}

async function readConfig({ program, configPath }: FoundContainerd): Promise<ContainerdFacts["config"]> {
  try {
    const { text } = await readEditedFile(configPath);
    if (program !== undefined && text !== undefined) return await readEffectiveConfig(program, configPath);
    return parseToml(text ?? "", configPath);
  } catch (error) {
    return { unreadable: toCleatError(error).message };
  }
}

async function listPlugins(socket: string): Promise<readonly RunningPlugin[] | undefined> {
  const { connectContainerd } = await import("../../../containerd/index.ts");
  await using containerd = connectContainerd({ socket, namespace: "default" });
  try {
    const { plugins } = await containerd.services.introspection.plugins({ filters: [] }, { timeoutMs: askDeadlineMs });
    return plugins.map(({ type, id, init_err: failure }) => ({ type, id, failure: failure?.message }));
  } catch (error) {
    if (error instanceof CleatError) return undefined;
    throw error;
  }
}

async function driverOf(root: string): Promise<string | undefined> {
  const { recognizeHome } = await import("../../../graphdriver/index.ts");
  return recognizeHome(root);
}

/** Who listens is asked of the kernel: Cleat's sockets are made by another name than the one they get. */
async function optionsOf(path: string): Promise<readonly string[] | undefined> {
  const [{ descriptorOf }, { peerProcess }] = await Promise.all([
    import("../../../transport/index.ts"),
    import("../../../syscall/index.ts"),
  ]);
  const socket = connect(path);
  let pid: number | undefined;
  try {
    await once(socket, "connect");
    const descriptor = descriptorOf(socket);
    pid = descriptor === undefined ? undefined : peerProcess(descriptor);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  } finally {
    socket.destroy();
  }
  const argv = (pid === undefined ? undefined : await readDaemon(pid))?.argv ?? [];
  const command = argv.findIndex((word, at) => word === "serve" && argv[at + 1] === "snapshotter");
  return command < 0 ? undefined : argv.slice(command + 2);
}

/** Asks for a snapshot that cannot be, so that the answer is that there is none. Who hangs has a socket, too. */
async function socketFailure(path: string): Promise<string | undefined> {
  const [{ createGrpcChannel, createGrpcClient }, { snapshotsService }] = await Promise.all([
    import("../../../grpc/index.ts"),
    import("../../../containerd/index.ts"),
  ]);
  await using channel = createGrpcChannel({ unix: path });
  try {
    await createGrpcClient(snapshotsService, channel).stat({}, { timeoutMs: askDeadlineMs });
    return undefined;
  } catch (error) {
    const { code, message, cause } = toCleatError(error);
    if (code === "NOT_FOUND" || code === "INVALID_ARGUMENT") return undefined;
    return isSystemError(cause) ? cause.code : message;
  }
}
