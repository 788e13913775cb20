import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { withFolderAt } from "../layer/index.ts";
import { findInBuildCache } from "./build-cache.ts";
import { readContainersStorageLayers } from "./containers-storage-records.ts";
import { readDockerLayers } from "./docker-records.ts";
import type { LayerRole } from "../graphdriver/kit.ts";

/** What an engine that keeps its data beside a store knows of the layers in it. */
export interface EngineRecords {
  readonly engine: "docker" | "containers-storage";
  /** The folder that holds the engine's data and the home. */
  readonly root: string;
  readonly layers: ReadonlyMap<string, EngineLayer>;
}

export interface EngineLayer {
  readonly role: LayerRole;
  /** The id of the layer in the store. */
  readonly parent: string | undefined;
  /** What the engine calls it, best first: names of images and containers, the short digest of the diff. */
  readonly names: readonly string[];
}

/**
 * Finds the engine whose home this is: `<root>/<driver>` with Docker's `<root>/image/<driver>`, or containers/storage's
 * `<root>/<driver>-layers`. `ids` are those of the store; those among them that Docker's build cache names are the
 * engine's, too. `undefined` where there is neither. Blocks.
 */
export function readEngineRecords(home: string, ids: readonly string[], root?: string): EngineRecords | undefined {
  const engineRoot = root ?? dirname(home);
  if (!existsSync(engineRoot)) return undefined;
  const driver = basename(home);
  return withFolderAt(engineRoot, (folder) => {
    const docker = readDockerLayers(folder, driver);
    if (docker !== undefined) {
      const unknown = ids.filter((id) => !docker.has(id));
      for (const id of findInBuildCache(folder, unknown))
        docker.set(id, { role: "image", parent: undefined, names: ["build cache"] });
      return { engine: "docker", root: engineRoot, layers: docker };
    }
    const layers = readContainersStorageLayers(folder, driver);
    return layers && { engine: "containers-storage", root: engineRoot, layers };
  });
}
