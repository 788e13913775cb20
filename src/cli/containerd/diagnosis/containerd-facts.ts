import { connect } from "node:net";
import { recognizeHome } from "../../../graphdriver/index.ts";
import { CleatError, toCleatError } from "../../../errors/index.ts";
import { readEffectiveConfig } from "../config/effective-config.ts";
import type { FoundContainerd } from "../config/find-containerd.ts";
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
  /** What happens at a socket: nothing where it answers. */
  socketFailure(path: string): Promise<string | undefined>;
  /** Whose layers a folder holds. */
  driverOf(root: string): string | undefined;
}

const askDeadlineMs = 2_000;

/** Reads and asks; changes nothing. */
export async function gatherContainerdFacts(found: FoundContainerd, address: string): Promise<ContainerdFacts> {
  const [config, plugins] = await Promise.all([readConfig(found), listPlugins(address)]);
  return { ...found, config, plugins, socketFailure, driverOf: (root) => recognizeHome(root) };
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

/** Connects, and says no word: whoever listens is a server that may be asked. */
async function socketFailure(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path, signal: AbortSignal.timeout(askDeadlineMs) });
    const end = (failure?: string) => {
      socket.destroy();
      resolve(failure);
    };
    socket.once("connect", () => end());
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}
