import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClientPolicy, createDiscovery, createRegistry, type Registry } from "../../../src/host/index.ts";
import type { Logger } from "../../../src/transport/index.ts";
import { type Original, startOriginal } from "./original.ts";
import { type Peer, type PeerAnswer, startPeer } from "./peer.ts";

/** moby's host and Cleat's, which look into the same folders. */
export interface TwoHosts extends AsyncDisposable {
  /** Stands for `/run/docker/plugins`. */
  readonly sockets: string;
  /** Stands for `/etc/docker/plugins`. */
  readonly specs: string;
  readonly original: Original;
  readonly registry: Registry;
  /** A plugin that both find by its socket. It ends with the hosts, if not before. */
  startPlugin(name: string, answer?: PeerAnswer): Promise<Peer>;
}

export interface TwoHostsOptions {
  /** As `buildOriginal` returned it. */
  readonly program: string;
  readonly policy?: ClientPolicy;
  readonly logger?: Logger;
}

export async function openTwoHosts({ program, ...options }: TwoHostsOptions): Promise<TwoHosts> {
  const folder = await mkdtemp(join(tmpdir(), "cleat-"));
  const [sockets, specs] = [join(folder, "run"), join(folder, "etc")];
  await mkdir(sockets);
  await mkdir(specs);
  const original = await startOriginal(program, sockets, specs);
  const discovery = createDiscovery({ sockets: [sockets], specs: [specs] });
  const registry = createRegistry({ discovery, ...options });
  const peers: Peer[] = [];
  return {
    sockets,
    specs,
    original,
    registry,
    async startPlugin(name, answer) {
      const peer = await startPeer({ listen: { path: join(sockets, `${name}.sock`) }, answer });
      peers.push(peer);
      return peer;
    },
    async [Symbol.asyncDispose]() {
      for (const peer of peers) await peer[Symbol.asyncDispose]();
      await registry.close();
      await original[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
