import { createHash } from "node:crypto";

/**
 * The digests by which layers are known together with all that they lie on, one for each of `diffIds`. Source: OCI
 * image specification v1.0 `config.md`, "Layer ChainID".
 */
export function chainIdsOf(diffIds: readonly string[]): string[] {
  const chains: string[] = [];
  for (const diffId of diffIds) {
    const below = chains.at(-1);
    const hash = () => createHash("sha256").update(`${below} ${diffId}`).digest("hex");
    chains.push(below === undefined ? diffId : `sha256:${hash()}`);
  }
  return chains;
}
