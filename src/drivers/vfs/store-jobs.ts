/** All that is known of stores of vfs without serving them, as one module that workers import. */
import type { DiskUsage } from "../../layer/index.ts";
import {
  assertNothingMounted,
  emptyTrash,
  mendStore,
  type RepairReport,
  type StoreFinding,
  usageAt,
} from "../../graphdriver/kit.ts";
import { discardLayer } from "./create-layer.ts";
import { findDamage } from "./damage.ts";
import { layersFolder } from "./layout.ts";

export { layoutFolders } from "./damage.ts";
export { withKnownSame } from "./known-same.ts";
export { surveyStore } from "./survey.ts";

export const moduleUrl = import.meta.url;

export function layerTree(id: string): string {
  return `${layersFolder}/${id}`;
}

export function usageOfLayer(home: string, id: string): DiskUsage | undefined {
  return usageAt(home, layerTree(id));
}

export function checkStore(home: string): StoreFinding[] {
  return findDamage(home).map(({ finding }) => finding);
}

export function repairStore(home: string): RepairReport {
  return mendStore(home, findDamage);
}

export function removeLayer(home: string, id: string): void {
  assertNothingMounted(home, `${layersFolder}/${id}`);
  const trashed = discardLayer(home, id);
  if (trashed !== undefined) emptyTrash(home, trashed);
}
