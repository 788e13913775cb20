import { existsSync } from "node:fs";
import { removeForGood, withFolderAt } from "../../../layer/index.ts";
import {
  type Damage,
  findOwnDamage,
  findWrongFolders,
  nameText,
  readMountsBelow,
  unmendable,
} from "../../../graphdriver/kit.ts";
import { findLayerDamage } from "./layer-damage.ts";
import { linksFolder } from "../layout.ts";
import { findLinkDamage } from "./link-damage.ts";
import { createLinkResolver, readStoreFacts } from "./store-facts.ts";
import { mountedLayers } from "./survey.ts";

/** Relative to the home; what is done by their paths would be done elsewhere if one were a symlink. */
export function layoutFolders(): readonly string[] {
  return [linksFolder];
}

/**
 * All that is wrong with a store of this layout, what must be mended first before the rest. Blocks; runs on a worker.
 */
export function findDamage(home: string): Damage[] {
  const mounts = readMountsBelow(home);
  const mounted = mountedLayers(home, mounts);
  return withFolderAt(home, (folder) => {
    const facts = readStoreFacts(folder, mounted);
    const layers = [...facts.layers.values()];
    const resolve = createLinkResolver(facts);
    const around = { home, folder, facts, resolve, mounts, keepsFolders: existsSync(`${home}-layers`) };
    return [
      ...findWrongFolders({ folder }, layoutFolders()),
      ...findOwnDamage({ home, folder, mounts, remove: removeForGood, mountedLayers: mounted }),
      ...findLinkDamage(home, facts),
      ...layers.flatMap((layer) => findLayerDamage(layer, around)),
      ...facts.strays.map(nameText).map(describeStray),
    ];
  });
}

function describeStray(path: string): Damage {
  return unmendable({ kind: "stray", path, problem: `"${path}" is not a layer` }, "it is not the driver's");
}
