import { CleatError, toCleatError, withSubject } from "../errors/index.ts";
import { layerIdPattern } from "./layer-id.ts";

/** Whatever went wrong with a layer, as an error of the contract whose message names the layer. */
export function toLayerError(error: unknown, id: string): CleatError {
  if (!layerIdPattern.test(id)) return toCleatError(error); // which is what it says, and how long the id is
  const subject = `layer "${id}"`;
  const cleat = toCleatError(error, subject);
  return cleat.message.includes(id) ? cleat : withSubject(cleat, subject);
}
