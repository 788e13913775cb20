import { expect, it } from "vitest";
import type { LayerKeeper, OpenHome } from "../../../graphdriver/kit.ts";
import { endOffer, offerWrite } from "../../../syscall/index.ts";
import type { WorkerPool } from "../../../workers/index.ts";
import { createLayerMaker } from "./layer-maker.ts";
import type { NewLayer } from "./create-layer.ts";

it("says of a record whose thread has died in the middle of it that nobody writes it any more", async () => {
  const record = offerWrite(-1, null, Buffer.from("a is there"));
  const run: WorkerPool["run"] = async () => {
    Atomics.store(record.state, 0, 2); // has begun
    throw new Error("thread died");
  };
  const pool = { run } as WorkerPool;
  const keeper: Pick<LayerKeeper, "make"> = { make: (_id, _parent, make) => make(pool) };
  const mounter = { type: "overlay", switches: [], maxLayers: 2 };
  const maker = createLayerMaker({ path: "/home", pool } as OpenHome, { url: "" }, keeper as LayerKeeper, mounter);
  const layer = { id: "a" } as NewLayer;
  await expect(maker.make(layer, { onMounts() {}, record }, undefined)).rejects.toThrow("thread died");
  expect(await endOffer(record)).toBe("abandoned");
});
