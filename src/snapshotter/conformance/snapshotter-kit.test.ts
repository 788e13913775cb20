import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createGrpcChannel, serveGrpc } from "../../grpc/index.ts";
import { runSnapshotterKit, snapshotterChecks } from "../../testing/index.ts";
import { createMemoryStorage, createPlaces, type Places } from "./memory-storage.test.support.ts";
import { createRemoteSnapshotter, createSnapshotsService, openSnapshotter, type Snapshotter } from "../index.ts";

/** What outlives a snapshotter, by the folder it is opened on. */
const disks = new Map<string, Places>();

function openOn(root: string, rebase: boolean): Promise<Snapshotter> {
  const places = disks.get(root) ?? createPlaces();
  disks.set(root, places);
  const storage = createMemoryStorage(places, { rebase, needsParents: true });
  return openSnapshotter({ root: join(root, "records"), storage });
}

/** Served and called over a socket; closing it closes everything. */
async function openBehindSocket(root: string): Promise<Snapshotter> {
  const local = await openOn(root, true);
  const path = join(root, "s.sock");
  const server = await serveGrpc({
    services: [createSnapshotsService(local)],
    async listen(listener) {
      await once(listener.listen(path), "listening");
      return { address: path, remove: async () => {} };
    },
    close: () => local.close(),
  });
  const channel = createGrpcChannel({ unix: path });
  return {
    ...createRemoteSnapshotter({ channel, snapshotter: "cleat" }),
    async close() {
      await channel.close();
      await server.close();
    },
  };
}

describe.each([
  ["in process", (root: string) => openOn(root, true), true],
  ["that gives no parents", (root: string) => openOn(root, false), false],
  ["behind a socket", openBehindSocket, true],
])("a snapshotter %s", (_, open, rebase) => {
  it.each(snapshotterChecks.map(({ id, title }) => [id, title]))("%s: %s", async (id) => {
    const [result] = await runSnapshotterKit({ open, abilities: { rebase }, only: [id] });
    if (result?.error !== undefined) throw result.error;
    expect(result?.outcome).toMatch(/passed|skipped/);
  });
});
