import { withFolderAt } from "../../../layer/index.ts";
import {
  conditionOf,
  type LayerMount,
  readMountsBelow,
  readRecordedCounts,
  roleOf,
  type StoreSurvey,
  type SurveyedLayer,
} from "../../../graphdriver/kit.ts";
import { createMisfitFinder } from "../layout/misfits.ts";
import { createLinkResolver, isHalfMade, type LayerFacts, lowerLinksOf, readStoreFacts } from "./store-facts.ts";

/** What a store of Docker's layout for overlay holds, whichever driver makes its mounts. Blocks; runs on a worker. */
export function surveyStore(home: string, driver: string): StoreSurvey {
  const mounts = readMountsBelow(home);
  return withFolderAt(home, (folder) => {
    const facts = readStoreFacts(folder, mountedLayers(home, mounts));
    const resolve = createLinkResolver(facts);
    const { counts } = readRecordedCounts(folder);
    const misfitOf = createMisfitFinder(home);
    const layers = [...facts.layers.values()].map((layer) => {
      const { id, committed } = layer;
      const { parent, parentage } = parentOf(layer, resolve);
      const ownMounts = mountsOf(home, id, mounts);
      return {
        id,
        parent,
        parentage,
        role: roleOf(id, parent, committed),
        ...conditionOf(layer.unread, isHalfMade(layer) ? "half-made" : "whole", misfitOf(id)),
        committed,
        mounts: ownMounts,
        holds: counts.get(id) ?? (ownMounts.length > 0 ? 1 : 0),
      };
    });
    return { driver, home, layersHold: "diffs", layers };
  });
}

function parentOf(
  layer: LayerFacts,
  resolve: (link: string) => string | undefined,
): Pick<SurveyedLayer, "parent" | "parentage"> {
  const lowers = layer.unread === undefined ? lowerLinksOf(layer) : undefined;
  if (lowers === undefined) return { parent: undefined, parentage: "unknown" };
  const [first] = lowers;
  if (first === undefined) return { parent: undefined, parentage: "none" };
  const parent = resolve(first);
  const isWhole = lowers.every((link) => resolve(link) !== undefined);
  return { parent, parentage: isWhole ? "known" : "missing" };
}

/** A layer has one mount point. */
export function mountsOf(home: string, id: string, mounts: readonly LayerMount[]): LayerMount[] {
  return mounts.filter(({ mountPoint }) => mountPoint === `${home}/${id}/merged`);
}

/** The ids of the layers whose mount point is one now, here or elsewhere. */
export function mountedLayers(home: string, mounts: readonly LayerMount[]): Set<string> {
  const ids = mounts.map(({ mountPoint }) => /^([^/]+)\/merged$/.exec(mountPoint.slice(home.length + 1))?.[1]);
  return new Set(ids.filter((id): id is string => id !== undefined));
}
