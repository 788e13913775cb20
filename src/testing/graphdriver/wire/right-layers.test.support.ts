/** A graph driver plugin that does on the wire all that is right, with layers that are only archives. */
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { CleatError } from "../../../errors/index.ts";
import { graphDriverProtocol } from "../../../protocol/index.ts";
import { implement } from "../../../transport/index.ts";
import { buildArchive } from "../../archive/build-archive.ts";
import { readArchive } from "../../archive/read-archive.ts";
import type { RightPlugin } from "../../faulty-plugin.test.support.ts";

export interface LayerStore {
  apply(id: string, archive: Buffer): Promise<number>;
  diff(id: string): Promise<Buffer>;
  create(id: string): Promise<void>;
  remove(id: string): Promise<void>;
}

type Layers = Map<string, Buffer>;

export const rightLayers: RightPlugin<LayerStore, Layers> = {
  implements: "GraphDriver",
  createStore: () => new Map(),
  open(_, layers) {
    const assertThere = (id: string) => {
      if (!layers.has(id)) throw new CleatError("NOT_FOUND", `layer "${id}" does not exist`);
    };
    return {
      create: async (id) => void layers.set(id, buildArchive([])),
      remove: async (id) => void layers.delete(id),
      async apply(id, archive) {
        assertThere(id);
        if (archive.length === 0) throw new CleatError("INVALID_ARGUMENT", "the archive has no bytes");
        const size = readArchive(archive).reduce((sum, { header }) => sum + Number(header.sizeBytes), 0);
        layers.set(id, archive);
        return size;
      },
      async diff(id) {
        assertThere(id);
        return layers.get(id) ?? Buffer.alloc(0);
      },
    };
  },
  serve(driver) {
    const make = async ({ ID }: { ID: string }) => (await driver.create(ID), {});
    const service = implement(graphDriverProtocol, {
      init: async () => ({}),
      capabilities: async () => ({ Capabilities: { ReproducesExactDiffs: false } }) as never,
      status: async () => ({ Status: [] }),
      create: make,
      createReadWrite: make,
      remove: async ({ ID }) => (await driver.remove(ID), {}),
      get: async ({ ID }) => ({ Dir: `/layers/${ID}` }),
      put: async () => ({}),
      exists: async () => ({ Exists: true }),
      getMetadata: async () => ({ Metadata: {} }),
      cleanup: async () => ({}),
      changes: async () => ({ Changes: [] }) as never,
      diffSize: async () => ({ Size: 0 }),
      diff: async ({ ID }) => Readable.from([await driver.diff(ID)]),
      applyDiff: async ({ id }, { body }) => ({ Size: await driver.apply(id, await buffer(body)) }),
    });
    return { service };
  },
};
