/** All that is known of overlay2's stores without serving them, as one module that workers import. */
import type { DiskUsage } from "../../../layer/index.ts";
import { mendStore, type RepairReport, type StoreFinding, usageAt } from "../../../graphdriver/kit.ts";
import { findDamage } from "./damage.ts";
import { dropWaitingRecords } from "../diffs/layer-diff.ts";
import { finishRebases } from "../layers/rebase-layer.ts";

export { layoutFolders } from "./damage.ts";
export { removeLayer } from "./layer-damage.ts";
export { surveyStore } from "./survey.ts";

export const moduleUrl = import.meta.url;

export function layerTree(id: string): string {
  return `${id}/diff`;
}

export function usageOfLayer(home: string, id: string): DiskUsage | undefined {
  return usageAt(home, layerTree(id));
}

export function checkStore(home: string): StoreFinding[] {
  return findDamage(home).map(({ finding }) => finding);
}

export function repairStore(home: string): RepairReport {
  dropWaitingRecords(home);
  finishRebases(home);
  return mendStore(home, findDamage);
}
