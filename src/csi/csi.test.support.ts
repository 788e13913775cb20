/** A driver in memory behind a socket of its own, and a client of each service; nothing is really mounted. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CleatError } from "../errors/index.ts";
import { createGrpcChannel, createGrpcClient, type ImplementedService, serveGrpc } from "../grpc/index.ts";
import {
  controllerService,
  createCsiPlugin,
  type CsiPluginOptions,
  type HeldVolumes,
  identityService,
  nodeService,
} from "./index.ts";
import type { PublishFlags, Publisher } from "./showing/publisher.ts";

/** What is shown where. */
export function createMemoryPublisher() {
  const shown = new Map<string, { source: string; flags: PublishFlags }>();
  const publisher: Publisher = {
    async publish(source, target, flags) {
      const there = shown.get(target);
      if (there === undefined) shown.set(target, { source, flags });
      else if (there.source !== source || JSON.stringify(there.flags) !== JSON.stringify(flags)) {
        throw new CleatError("ALREADY_EXISTS", "something else is shown there");
      }
    },
    async unpublish(source, target) {
      if (source !== undefined && (shown.get(target)?.source ?? source) !== source) {
        throw new CleatError("FAILED_PRECONDITION", "something else is shown there");
      }
      shown.delete(target);
    },
    async placesOf(source, target) {
      const places = [...shown].filter(([, there]) => there.source === source).map(([place]) => place);
      return { isHere: places.includes(target), elsewhere: places.filter((place) => place !== target) };
    },
    isTaken: async (target) => shown.has(target),
    async statistics(path) {
      if (!shown.has(path)) throw new CleatError("NOT_FOUND", "nothing is shown there");
      return { bytes: { total: 10n, used: 4n, available: 5n }, inodes: { total: 3n, used: 1n, available: 2n } };
    },
  };
  return { shown, publisher };
}

export interface ServeCsiOptions {
  /** Of one that is started again. Default its own. */
  readonly socket?: string;
  /** For a plugin that is not as it should be. */
  change?(services: readonly ImplementedService[]): readonly ImplementedService[];
}

export async function serveCsi(
  driver: HeldVolumes,
  options: Partial<CsiPluginOptions> = {},
  { socket, change = (services) => services }: ServeCsiOptions = {},
) {
  const folder = await mkdtemp(join(tmpdir(), "cleat-csi-"));
  const path = socket ?? join(folder, "csi.sock");
  const { shown, publisher } = createMemoryPublisher();
  const named = { name: "volumes.example.org", version: "1.2.3", nodeId: "node-1" };
  const plugin = await createCsiPlugin({ driver, publisher, ...named, ...options });
  const running = await serveGrpc({
    services: change(plugin.services),
    close: () => plugin.close(),
    async listen(server) {
      await once(server.listen(path), "listening");
      return { address: `unix://${path}`, remove: async () => {} };
    },
  });
  const channel = createGrpcChannel({ unix: path });
  return {
    unix: path,
    shown,
    identity: createGrpcClient(identityService, channel),
    controller: createGrpcClient(controllerService, channel),
    node: createGrpcClient(nodeService, channel),
    async [Symbol.asyncDispose]() {
      await channel[Symbol.asyncDispose]();
      await running.close();
      await rm(folder, { recursive: true });
    },
  };
}

export const mountable = (mode: "SINGLE_NODE_WRITER" | "SINGLE_NODE_SINGLE_WRITER" | "MULTI_NODE_MULTI_WRITER") => ({
  mount: {},
  access_mode: { mode },
});

export const oneNode = [mountable("SINGLE_NODE_WRITER")];
