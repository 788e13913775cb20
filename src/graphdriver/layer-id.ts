import { CleatError, quoteText } from "../errors/index.ts";

/**
 * What an engine may call a layer. Docker sends 64 hexadecimal digits, with `-init` after them for a container's first
 * layer; kits and other engines send words. It cannot begin with a dot, so that no layer is named like Cleat's own
 * folder, and holds nothing that a path would resolve.
 */
export const layerIdPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/** @throws INVALID_ARGUMENT when `id` may not name a layer. */
export function assertLayerId(id: string): void {
  if (layerIdPattern.test(id)) return;
  const form = `${layerIdPattern.source}: a letter or digit and up to 127 more of those or of "_", "." and "-"`;
  throw new CleatError("INVALID_ARGUMENT", `layer id ${quoteText(id)} is not of the form ${form}`);
}
