import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { expandVolume } from "./expansion.ts";
import type { CsiPeer } from "./peer.ts";
import { readRecord, writeRecord } from "./provisioned.ts";

it("takes no size from a plugin that no number can hold: a record of it could not be read again", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-csi-expansion-"));
  try {
    const record = { askedName: "data", provisioned: { volumeId: "1", context: {} } };
    await writeRecord(folder, record);
    const facts = { name: "odd", controller: new Set(["EXPAND_VOLUME"]), node: new Set(), expansion: "ONLINE" };
    const answer = { capacity_bytes: 2n ** 62n, node_expansion_required: true };
    const peer = { facts: async () => facts, controller: { controllerExpandVolume: async () => answer } };
    const volume = {
      volumeId: "1",
      folder,
      capability: {},
      secrets: {},
      paths: { volume_path: "/v", staging_target_path: "" },
      isMounted: false,
    };
    const expanding = expandVolume(peer as unknown as CsiPeer, volume, 8192, new AbortController().signal);
    await expect(expanding).rejects.toMatchObject({ code: "INTERNAL" });
    expect(await readRecord(folder)).toMatchObject(record);
  } finally {
    await rm(folder, { recursive: true });
  }
});
