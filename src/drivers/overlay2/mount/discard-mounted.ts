import { discardLayer } from "../../overlay/diffs/layer-diff.ts";
import { forgetLimit, projectOfLayer } from "../../overlay/quotas/layer-size.ts";
import type { ProjectQuotas } from "../../overlay/quotas/project-quotas.ts";
import { unmountLayer } from "./mount-layer.ts";

/** `discardLayer` of a layer that may be mounted, or have a limit. Blocks; runs on a worker. */
export function discardMounted(home: string, id: string, quotas: ProjectQuotas | undefined): string | undefined {
  unmountLayer(home, id);
  const project = quotas && projectOfLayer(home, id, quotas);
  const trashed = discardLayer(home, id);
  if (quotas !== undefined && project !== undefined) forgetLimit(home, project, quotas);
  return trashed;
}
