import { readStorageSize } from "../../graphdriver/kit.ts";
import {
  assertEnforced,
  isEnforced,
  lastReservedProject,
  type ProjectQuotas,
  type QuotaSupport,
} from "../overlay/quotas/project-quotas.ts";
import type { LayerSize } from "../overlay/layers/create-layer.ts";

/** Limits on what containers add to their images. */
export interface ContainerSizes {
  /** What enforces them; `undefined` where nothing does. */
  readonly quotas: ProjectQuotas | undefined;
  /**
   * The limit of a layer in the making: what its storage options ask for, else `defaultBytes`, if anything.
   * @throws UNIMPLEMENTED for a size that cannot be enforced, INVALID_ARGUMENT for other storage options.
   */
  sizeOf(
    id: string,
    storageOptions: Readonly<Record<string, string>> | undefined,
    defaultBytes: number | undefined,
  ): LayerSize | undefined;
  /** A layer was given a project: the next free one is looked for after it. */
  gave(project: number | undefined): void;
}

export function createContainerSizes(support: QuotaSupport): ContainerSizes {
  const quotas = isEnforced(support) ? support : undefined;
  let lastProject = quotas === undefined ? 0 : lastReservedProject(quotas);
  return {
    quotas,
    sizeOf(id, storageOptions, defaultBytes) {
      const bytes = readStorageSize(id, storageOptions) ?? defaultBytes;
      if (bytes === undefined) return undefined;
      return { bytes, afterProject: lastProject, quotas: assertEnforced(support, `layer "${id}"`) };
    },
    gave(project) {
      lastProject = Math.max(lastProject, project ?? 0);
    },
  };
}
