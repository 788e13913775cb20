import { CleatError, toCleatError, withSubject } from "../errors/index.ts";
import { layerIdPattern } from "./layer-id.ts";

/** Whatever went wrong with a layer, as an error of the contract whose message names the layer. */
export function toLayerError(error: unknown, id: string): CleatError {
  if (!layerIdPattern.test(id)) return toCleatError(error); // which is what it says, and how long the id is
  const subject = `layer "${id}"`;
  const cleat = toCleatError(error, subject);
  // A snapshotter's layers are numbers, which stand in many a path.
  const isNamed = cleat.message.includes(id) && !bareSystemError.test(cleat.message);
  return isNamed ? cleat : withSubject(cleat, subject);
}

/**
 * Whatever went wrong with a driver or its home, as an error of the contract whose message begins with `subject` where
 * it named nothing.
 */
export function toErrorAbout(error: unknown, subject: string): CleatError {
  const cleat = toCleatError(error, subject);
  return bareSystemError.test(cleat.message) ? withSubject(cleat, subject) : cleat;
}

/** As a worker tells of a system call of its own, on a name that means nothing to the caller. */
const bareSystemError = /^E[A-Z0-9]+: /;
