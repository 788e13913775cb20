import { startCleat, type Cleat } from "../plugins/cleat.ts";
import { logTail, type Daemon } from "../processes/daemon.ts";
import { mountDataRoot } from "../namespaces/data-root.ts";
import { openNamespace, type Namespace } from "../namespaces/namespace.ts";
import { startDockerd, type Dockerd, type DockerdOptions } from "./dockerd.ts";
import type { Storage } from "./storage.ts";

/** A Docker daemon on a storage, and everything that it needs to run. */
export interface Engine {
  readonly namespace: Namespace;
  readonly dockerd: Dockerd;
  /** Undefined where the storage is the engine's own. */
  readonly cleat: Cleat | undefined;
  /** The folder that holds the layers, as the namespace sees it. */
  readonly home: string;
  /** As the `docker` command; an error shows the ends of the logs. */
  docker(...args: string[]): Promise<string>;
}

export async function openEngine(
  storage: Storage,
  options?: Pick<DockerdOptions, "remap">,
): Promise<Engine & AsyncDisposable> {
  const namespace = await openNamespace(storage.release);
  try {
    const engine = await startEngine(namespace, storage, `${namespace.folder}/docker`, options);
    return { ...engine, [Symbol.asyncDispose]: () => namespace[Symbol.asyncDispose]() };
  } catch (error) {
    await namespace[Symbol.asyncDispose]();
    throw error;
  }
}

/** Starts an engine in a namespace that somebody else disposes of. */
export async function startEngine(
  namespace: Namespace,
  { storageDriver, cleatDriver, cleatArguments, fileSystem }: Storage,
  dataRoot: string,
  { remap }: Pick<DockerdOptions, "remap"> = {},
): Promise<Engine> {
  if (fileSystem !== undefined) await mountDataRoot(namespace, dataRoot, fileSystem);
  const cleatOptions = { name: storageDriver, arguments: cleatArguments };
  const cleat = cleatDriver && (await startCleat(namespace, { ...cleatOptions, driver: cleatDriver }));
  const dockerd = await startDockerd(namespace, { name: `dockerd-${storageDriver}`, storageDriver, dataRoot, remap });
  const logs = [dockerd, ...(cleat ? [cleat] : [])];
  return {
    namespace,
    dockerd,
    cleat: cleat || undefined,
    home: `${dataRoot}/${remap === undefined ? "" : `${remap.firstId}.${remap.firstId}/`}${storageDriver}`,
    docker: (...args) => dockerd.docker(...args).catch((error: Error) => failWithLogs(error, logs)),
  };
}

async function failWithLogs({ message }: Error, logs: readonly Pick<Daemon, "logPath">[]): Promise<never> {
  const tails = await Promise.all(logs.map(async (log) => `${log.logPath} ends:\n${await logTail(log)}`));
  throw new Error([message, ...tails].join("\n\n"));
}
