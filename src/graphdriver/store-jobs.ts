import type { DiskUsage } from "../layer/index.ts";
import type { StoreFinding } from "./finding.ts";
import type { WithKnownSame } from "./known-same.ts";
import type { StoreSurvey } from "./survey.ts";

/**
 * What a driver knows of its stores without serving them: a module whose functions block and run on workers. They look
 * at stores that are being served, too, where layers come and go meanwhile, and at those of Docker's own drivers. Homes
 * are absolute, with symlinks resolved; nothing in them is followed out of them.
 */
export interface StoreJobs {
  /** `driver` is what the driver that has this layout is called. */
  surveyStore(home: string, driver: string): StoreSurvey;
  /**
   * The folders that the layout has beside those of single layers, relative to the home: each must be a folder, if it
   * is there.
   */
  layoutFolders(): readonly string[];
  /**
   * The folder that holds what a layer's own archive brought, relative to the home; with all below it where the driver
   * copies.
   */
  layerTree(id: string): string;
  /**
   * What of two layers need not be read to be compared, where each has its whole tree at `layerTree`. Without it all
   * that is alike in both is read.
   */
  readonly withKnownSame?: WithKnownSame;
  /** `undefined` for a layer that is not there, any more. Costs a walk. */
  usageOfLayer(home: string, id: string): DiskUsage | undefined;
  checkStore(home: string): readonly StoreFinding[];
  /** Mends what `checkStore` finds. The caller has locked the home. */
  repairStore(home: string): RepairReport;
  /** Takes a layer out of the store and deletes it. The caller has locked the home. */
  removeLayer(home: string, id: string): void;
}

export interface RepairReport {
  /** In the order in which they were mended. */
  readonly repaired: readonly StoreFinding[];
  /** Those left, each with its obstacle. */
  readonly left: readonly StoreFinding[];
}
