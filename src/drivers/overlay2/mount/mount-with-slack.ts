import { withFolderAt } from "../../../layer/index.ts";
import { limitProject } from "../../../syscall/index.ts";
import { limitedProject } from "../../overlay/quotas/layer-size.ts";
import { type ProjectQuotas, quotaTarget } from "../../overlay/quotas/project-quotas.ts";
import { mountLayer, type MountLayerOptions } from "./mount-layer.ts";

/** What a mount point and overlay's own folder take, rounded up much. */
const slackBytes = 2 ** 20;

/**
 * Mounts a layer, which meanwhile may hold a little more than its limit: overlay makes a folder in the layer's work
 * folder, without which a container that has filled its disk would be mounted read-only, and could never delete
 * anything again. In a layer of Docker's the mount point takes from the limit, too.
 */
export function mountWithSlack(
  home: string,
  id: string,
  options: MountLayerOptions,
  quotas: ProjectQuotas | undefined,
): string {
  const limited = quotas && limitedProject(home, id, quotas);
  if (quotas === undefined || limited === undefined) return mountLayer(home, id, options);
  const limit = (slack: number) =>
    withFolderAt(home, (folder) => limitProject(quotaTarget(quotas, folder), limited.id, limited.limitBytes, slack));
  limit(slackBytes);
  try {
    return mountLayer(home, id, options);
  } finally {
    limit(0);
  }
}
