import { existsSync } from "node:fs";
import { removeForGood, withFolderAt } from "../../../layer/index.ts";
import {
  type Damage,
  describeUnread,
  findOwnDamage,
  findWrongFolders,
  nameText,
  readMountsBelow,
  unmendable,
  withholdMends,
} from "../../../graphdriver/kit.ts";
import { findLayerDamage } from "./layer-damage.ts";
import { linksFolder } from "../layout/layout.ts";
import { findLinkDamage } from "./link-damage.ts";
import { createMisfitFinder } from "../layout/misfits.ts";
import { createLinkResolver, type LayerFacts, readStoreFacts, type StoreFacts } from "./store-facts.ts";
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
    const unread = findUnread(facts);
    const around = { home, folder, facts, resolve, mounts, keepsFolders: existsSync(`${home}-layers`) };
    const named = [
      ...findLinkDamage(home, facts),
      ...layers.flatMap((layer) => (layer.unread === undefined ? findLayerDamage(layer, around) : [])),
    ];
    return [
      ...findWrongFolders({ folder }, layoutFolders()),
      ...findOwnDamage({ home, folder, mounts, remove: removeForGood, mountedLayers: mounted }),
      ...unread,
      ...withholdMends(unread, named),
      ...(named.some(({ finding }) => contradicts.test(finding.kind)) ? [] : findMisfits(home, layers)),
      ...facts.strays.map(nameText).map(describeStray),
    ];
  });
}

/** Kinds from which misfits follow. */
const contradicts = /^(link|lower)-/;

function findUnread({ layers, links }: StoreFacts): Damage[] {
  return [
    ...[...layers].flatMap(([id, { unread }]) => (unread === undefined ? [] : [describeUnread(id, unread, id)])),
    ...[...links].flatMap(([name, { unread, layer }]) =>
      unread === undefined ? [] : [describeUnread(`${linksFolder}/${name}`, unread, layer)],
    ),
  ];
}

function findMisfits(home: string, layers: readonly LayerFacts[]): Damage[] {
  const misfitOf = createMisfitFinder(home);
  return layers.flatMap(({ id, unread }) => {
    const misfit = unread === undefined ? misfitOf(id) : undefined;
    if (misfit === undefined) return [];
    const subject = {
      kind: "misfit",
      path: id,
      problem: `layer "${id}" contradicts others: ${misfit}`,
      layer: id,
    } as const;
    return [unmendable(subject, "which of them is right is for somebody to say who knows")];
  });
}

function describeStray(path: string): Damage {
  return unmendable({ kind: "stray", path, problem: `"${path}" is not a layer` }, "it is not the driver's");
}
