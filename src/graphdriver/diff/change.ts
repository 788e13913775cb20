import type { TreeChange } from "../../layer/index.ts";
import type { Change } from "../driver.ts";

/** From the walk's spelling, a relative byte string, to the contract's. */
export function toChange({ path, kind }: TreeChange): Change {
  return { path: Buffer.from(`/${path}`, "latin1"), kind };
}
