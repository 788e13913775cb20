import { expect, it } from "vitest";
import { createMemoryVolumes } from "../../volume/memory-volumes.test.support.ts";
import { serveCsi } from "../csi.test.support.ts";
import { createCsiPeer } from "./peer.ts";

const { signal } = new AbortController();

it("a plugin is asked once what it can do, and again when it was started anew, perhaps as another", async () => {
  const { driver } = createMemoryVolumes({ capabilities: async () => ({ scope: "local" }) });
  await using folder = await serveCsi(driver); // whose folder outlives the plugins
  const unix = `${folder.unix}.of-both`;
  const peer = createCsiPeer({ unix });
  try {
    const old = await serveCsi(driver, { version: "1", nodeId: "old" }, { socket: unix });
    const facts = await peer.facts(signal);
    expect(await peer.facts(signal)).toBe(facts);
    expect([facts.info.node_id, facts.controller.has("CLONE_VOLUME")]).toEqual(["old", false]);
    await old[Symbol.asyncDispose]();
    await expect(peer.facts(signal)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await using _ = await serveCsi(driver, { version: "2", nodeId: "new", sourceOption: "from" }, { socket: unix });
    const { info, controller } = await peer.facts(signal);
    expect([info.node_id, controller.has("CLONE_VOLUME")]).toEqual(["new", true]);
    expect(info.accessible_topology?.segments).toEqual({ "volumes.example.org/node": "new" });
  } finally {
    await peer.close();
  }
});

it("a controller that is gone takes nothing from what the plugin on the node has said", async () => {
  const { driver } = createMemoryVolumes({ capabilities: async () => ({ scope: "local" }) });
  await using node = await serveCsi(driver);
  const controller = await serveCsi(driver);
  const peer = createCsiPeer({ unix: node.unix, controllerUnix: controller.unix });
  try {
    const facts = await peer.facts(signal);
    await controller[Symbol.asyncDispose]();
    expect(await peer.facts(signal)).toBe(facts);
  } finally {
    await peer.close();
  }
});
