import { CleatError } from "../../errors/index.ts";
import type { GraphDriver } from "../../graphdriver/index.ts";

const needed = ["mounts", "usage", "list"] as const;

/** A graph driver that can tell what a snapshotter is asked for. */
export type ServableDriver = GraphDriver & Required<Pick<GraphDriver, (typeof needed)[number]>>;

/** @throws UNIMPLEMENTED for a driver that cannot, as one behind Docker's protocol, which has no such calls. */
export function assertServable(driver: GraphDriver): asserts driver is ServableDriver {
  const missing = needed.filter((method) => driver[method] === undefined);
  if (missing.length === 0) return;
  const message = `driver "${driver.name}" cannot be a snapshotter: it has no ${missing.join(", no ")}`;
  throw new CleatError("UNIMPLEMENTED", message);
}
