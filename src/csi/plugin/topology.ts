import { createHash } from "node:crypto";
import { CleatError } from "../../errors/index.ts";
import type { CsiContext } from "./context.ts";

/** Where volumes of this node can be used: here alone, or (nothing to say) anywhere. */
export function topologyOf({
  pluginName,
  nodeId,
  scope,
}: CsiContext): { segments: Record<string, string> } | undefined {
  return scope === "local" ? { segments: { [`${pluginName}/node`]: toLabel(nodeId) } } : undefined;
}

/**
 * What orchestrators take for a place: Kubernetes makes a label of it. Any other text becomes its digest.
 *
 * Source: container-storage-interface/spec v1.9.0 `csi.proto`, Topology.
 */
function toLabel(nodeId: string): string {
  if (/^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/.test(nodeId)) return nodeId;
  return createHash("sha256").update(nodeId).digest("hex").slice(0, 63);
}

interface Requirements {
  readonly requisite: readonly { readonly segments: Readonly<Record<string, string>> }[];
  readonly preferred: readonly { readonly segments: Readonly<Record<string, string>> }[];
}

/** @throws RESOURCE_EXHAUSTED when a volume is wanted where this node's volumes are not. */
export function assertReachable(requirements: Requirements | undefined, context: CsiContext): void {
  const here = topologyOf(context)?.segments;
  const wanted = requirements?.requisite ?? [];
  if (here === undefined || wanted.length === 0) return;
  const [key, value] = Object.entries(here)[0] as [string, string];
  if (wanted.some(({ segments }) => Object.hasOwn(segments, key) && segments[key] === value)) return;
  throw new CleatError(
    "RESOURCE_EXHAUSTED",
    `volumes of node "${context.nodeId}" cannot be used where this one is wanted`,
  );
}
