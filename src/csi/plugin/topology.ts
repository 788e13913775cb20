import { CleatError } from "../../errors/index.ts";
import type { CsiContext } from "./context.ts";

/** Where volumes of this node can be used: here alone, or (nothing to say) anywhere. */
export function topologyOf({
  pluginName,
  nodeId,
  scope,
}: CsiContext): { segments: Record<string, string> } | undefined {
  return scope === "local" ? { segments: { [`${pluginName}/node`]: nodeId } } : undefined;
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
