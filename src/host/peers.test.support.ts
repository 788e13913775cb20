/** Peers of every kind in a folder of plugins of its own for each test, and a registry that looks there. */
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { pluginProtocol, type ServerImplementation, volumeDriverProtocol } from "../protocol/index.ts";
import {
  createHandler,
  createHttpServer,
  formatJsonSpec,
  type Handler,
  implement,
  type Logger,
} from "../transport/index.ts";
import { type ClientPolicy, createDiscovery, createRegistry, type Registry } from "./index.ts";

export let folder: string;
const closers: (() => Promise<void>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
  await mkdir(join(folder, "sockets"));
  await mkdir(join(folder, "specs"));
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  await rm(folder, { recursive: true });
});

export const socketOf = (name: string) => join(folder, "sockets", `${name}.sock`);
export const specOf = (name: string) => join(folder, "specs", `${name}.spec`);

/** Looks in the test's folders; patience as in production but for what the test sets. */
export function openRegistry(policy: ClientPolicy = {}, logger?: Logger): Registry {
  const discovery = createDiscovery({ sockets: [join(folder, "sockets")], specs: [join(folder, "specs")] });
  const registry = createRegistry({ discovery, policy, ...(logger !== undefined && { logger }) });
  closers.push(() => registry.close());
  return registry;
}

export interface Peer {
  /** The path of each request that arrived, in order. */
  readonly calls: readonly string[];
  /** Stops, and leaves a dead socket if `leaveSocket`. */
  stop(): Promise<void>;
}

type VolumeMethods = Partial<ServerImplementation<typeof volumeDriverProtocol>>;

/** A volume plugin whose `Path` answers "/NAME". */
export async function startPlugin(
  name: string,
  methods: VolumeMethods = {},
  { at = socketOf(name), implemented = ["VolumeDriver"] }: { at?: PeerPlace; implemented?: string[] } = {},
): Promise<Peer> {
  const calls: string[] = [];
  const volumes = implement(volumeDriverProtocol, {
    path: async () => ({ Mountpoint: `/${name}` }),
    ...methods,
  } as ServerImplementation<typeof volumeDriverProtocol>);
  const activation = implement(pluginProtocol, { activate: async () => ({ Implements: implemented }) });
  const handler = createHandler([activation, volumes]);
  const server = createHttpServer((request) => {
    calls.push(request.path);
    return handler(request);
  });
  return listen(server, at, calls);
}

/**
 * A plugin behind TLS that shows the certificate `NAME.pem` of the fixtures, with a spec file that trusts their
 * authority.
 */
export async function startTlsPlugin(name: string, certificate: string): Promise<Peer> {
  const fixtures = join(import.meta.dirname, "../../test/fixtures/tls");
  const read = (file: string) => readFile(join(fixtures, file), "utf8");
  const tls = { cert: await read(`${certificate}.pem`), key: await read(`${certificate}-key.pem`) };
  const calls: string[] = [];
  const handler = createHandler([
    implement(pluginProtocol, { activate: async () => ({ Implements: ["VolumeDriver"] }) }),
  ]);
  const record: Handler = (request) => {
    calls.push(request.path);
    return handler(request);
  };
  const server = createHttpServer(record, { tls });
  const peer = await listen(server, { port: 0 }, calls);
  const { port } = server.address() as AddressInfo;
  const spec = formatJsonSpec(name, `https://127.0.0.1:${port}`, { caFile: join(fixtures, "ca.pem") });
  await writeFile(join(folder, "specs", `${name}.json`), spec);
  return peer;
}

/** What a fake peer does with a request that has come in whole. */
export type Behaviour = (socket: Socket) => void;

const manifest = '{"Implements":["VolumeDriver"]}';
export const reply = (body: string, head = "HTTP/1.1 200 OK") =>
  `${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
export const activates: Behaviour = (socket) => socket.write(reply(manifest));

/** A peer on a bare socket: what it does when activated, and with every other call. On TCP it has a spec file. */
export async function startFake(
  name: string,
  onActivate: Behaviour,
  onCall: Behaviour = onActivate,
  { onTcp = false } = {},
): Promise<Peer> {
  const calls: string[] = [];
  const server = createServer((socket) => {
    let text = "";
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      const request = /^POST (\S+) [^]*?content-length: (\d+)\r\n[^]*?\r\n\r\n([^]*)$/i.exec(text);
      if (request === null || request[3]!.length < Number(request[2])) return;
      text = "";
      calls.push(request[1]!);
      (request[1] === "/Plugin.Activate" ? onActivate : onCall)(socket);
    });
  });
  if (!onTcp) return listen(server, socketOf(name), calls);
  const peer = await listen(server, { port: 0 }, calls);
  await writeFile(specOf(name), `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return peer;
}

/** The path of a socket, or a port of the loopback interface. */
type PeerPlace = string | { readonly port: number };

async function listen(server: Server, at: PeerPlace, calls: readonly string[]): Promise<Peer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  if (typeof at === "string") server.listen(at);
  else server.listen(at.port, "127.0.0.1");
  await once(server, "listening");
  const stop = async () => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  closers.push(stop);
  return { calls, stop };
}

/** A socket at which nobody listens any more, as a killed process leaves it. */
export async function leaveDeadSocket(name: string): Promise<void> {
  const holder = join(folder, "holder");
  const server = createServer().listen(holder);
  await once(server, "listening");
  await rename(holder, socketOf(name));
  await new Promise((resolve) => server.close(resolve));
}
