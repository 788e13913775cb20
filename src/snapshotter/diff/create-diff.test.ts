import { expect, it } from "vitest";
import type { Containerd } from "../../containerd/index.ts";
import { CleatError } from "../../errors/index.ts";
import { createWorkerPool } from "../../workers/index.ts";
import { createDiff, type DiffContext } from "./create-diff.ts";

it("begins no archive that nobody will read, where containerd grants no lease", async () => {
  await using pool = createPool();
  const refused = new CleatError("UNAVAILABLE", "containerd is gone");
  const create = () => Promise.reject(refused);
  const containerd = { services: { leases: { create } } } as unknown as Containerd;
  let begun = 0;
  const jobs = { url: "none:" } as DiffContext["jobs"];
  const counting: DiffContext["pool"] = { ...pool.own, produce: (...args) => (begun++, pool.own.produce(...args)) };
  const plan = { kind: "trees", newer: { mounts: [] }, older: { mounts: [] } } as const;
  const options = { compression: "none", ref: "", labels: {}, lease: undefined } as const;
  const made = createDiff({ containerd, pool: counting, jobs, store: undefined }, plan, options, {});
  await expect(made).rejects.toBe(refused);
  expect(begun).toBe(0);
});

function createPool() {
  const own = createWorkerPool();
  return { own, [Symbol.asyncDispose]: () => own.close() };
}
