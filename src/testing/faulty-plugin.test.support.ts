/** A volume plugin that does everything right, and the places where one thing of it can be made wrong. */
import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from "node:http";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { CleatError } from "../errors/index.ts";
import { pluginProtocol } from "../protocol/index.ts";
import { createHandler, implement, silentLogger } from "../transport/index.ts";
import { assertVolumeName, createVolumeDriverPlugin, type VolumeDriver } from "../volume/index.ts";

interface StoredVolume {
  readonly options: Readonly<Record<string, string>>;
  readonly holders: Set<string>;
}

/** What outlives a process. */
export type Store = Map<string, StoredVolume>;

/** Volumes that are folders below `root`. */
export function createFolderVolumes(root: string, store: Store = new Map()): VolumeDriver {
  const pathOf = (name: string) => join(root, name);
  const find = (name: string) => {
    const found = store.get(name);
    if (found === undefined) throw new CleatError("NOT_FOUND", `volume "${name}" does not exist`);
    return found;
  };
  return {
    name: "folders",
    capabilities: async () => ({ scope: "local" }),
    async create(name, { options = {} } = {}) {
      assertVolumeName(name);
      const [unknown] = Object.keys(options).filter((key) => key !== "size");
      if (unknown !== undefined) throw new CleatError("INVALID_ARGUMENT", `volume "${name}": no option "${unknown}"`);
      if (!store.has(name)) store.set(name, { options, holders: new Set() });
      await mkdir(pathOf(name), { recursive: true });
    },
    list: async () => [...store.keys()].map((name) => ({ name, mountpoint: pathOf(name) })),
    get: async (name) => (find(name), { name, mountpoint: pathOf(name), status: {} }),
    async remove(name) {
      if (find(name).holders.size > 0) throw new CleatError("FAILED_PRECONDITION", `volume "${name}" is held`);
      store.delete(name);
      await rm(pathOf(name), { recursive: true });
    },
    path: async (name) => (find(name), pathOf(name)),
    mount: async (name, id) => (find(name).holders.add(id), pathOf(name)),
    unmount: async (name, id) => void find(name).holders.delete(id),
    close: async () => {},
  };
}

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Whatever is given here is done in the place of what is right; `undefined` is right after all. */
export interface Wrongs {
  readonly driver?: (right: VolumeDriver, root: string) => Partial<VolumeDriver>;
  readonly answer?: (received: Received) => readonly [status: number, body: string] | "never" | "endless" | undefined;
  /** Changes what is read of a request before anybody answers it. */
  readonly read?: (received: Received) => string;
  readonly server?: ServerOptions;
  readonly onServer?: (server: Server, listening: () => Promise<void>) => void;
}

export interface FaultyPlugin extends AsyncDisposable {
  readonly socket: string;
  /** What another process of it has: the same store, unless it forgets. */
  restart(): Promise<void>;
}

export async function serveFaulty(wrongs: Wrongs = {}, isForgetful = false): Promise<FaultyPlugin> {
  const folder = await mkdtemp(join(tmpdir(), "cleat-kit-"));
  const [root, socket] = [join(folder, "volumes"), join(folder, "p.sock")];
  await mkdir(root);
  const store: Store = new Map();
  let driver = open(store);
  const server = createServer(
    { keepAliveTimeout: 0, requireHostHeader: false, ...wrongs.server },
    (request, response) => answer(request, response).catch(() => response.destroy()),
  );
  const listen = async () => void (await once(server.listen(socket), "listening"));
  wrongs.onServer?.(server, listen);
  await listen();

  function open(kept: Store): VolumeDriver {
    const right = createFolderVolumes(root, kept);
    return { ...right, ...wrongs.driver?.(right, root) };
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url: path = "", headers } = request;
    const body = String(await buffer(request));
    const received = { path, headers, body };
    const wrong = wrongs.answer?.(received);
    if (wrong === "never") return;
    if (wrong === "endless") return flood(response);
    const [status, text] = wrong ?? (await answerRight({ ...received, body: wrongs.read?.(received) ?? body }));
    response.writeHead(status).end(text);
  }

  async function answerRight({ path, body }: Received): Promise<readonly [number, string]> {
    const activation = implement(pluginProtocol, { activate: async () => ({ Implements: ["VolumeDriver"] }) });
    const services = [activation, createVolumeDriverPlugin({ driver, logger: silentLogger }).service];
    const { signal } = new AbortController();
    const handle = createHandler(services, { logger: silentLogger, maxRequestBytes: 2 ** 20 });
    const reply = await handle({ path, query: {}, body: Buffer.from(body), signal });
    return [reply.status, String(reply.body)];
  }

  return {
    socket,
    restart: async () => void (driver = open(isForgetful ? new Map() : store)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

/** Until the other end has had enough. */
function flood(response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write(" ".repeat(65_536)));
  };
  response.on("drain", more);
  more();
}
