import { quoteText } from "../../../errors/index.ts";
import { withFolder, withFolderAt } from "../../../layer/index.ts";
import { chownat, mkdirat, readSomeNames, rmdirat, statat, umount2 } from "../../../syscall/index.ts";
import {
  assertNothingMounted,
  type Damage,
  emptyTrash,
  findExactDamage,
  findUnlessUnread,
  formatNames,
  type LayerMount,
  mendable,
  namesIn,
  nameText,
  unmendable,
  withPathIfThere,
  writeRecord,
} from "../../../graphdriver/kit.ts";
import { discardLayer } from "../diffs/layer-diff.ts";
import { exactFolder, isForeign, linksFolder } from "../layout/layout.ts";
import { giveNewLink } from "./link-damage.ts";
import { type LayerFacts, linkOf, lowerLinksOf, type StoreFacts } from "./store-facts.ts";
import { mountsOf } from "./survey.ts";

export interface LayerNeighbours {
  readonly home: string;
  /** The home, open. */
  readonly folder: number;
  readonly facts: StoreFacts;
  /** The layer that a link leads to. */
  readonly resolve: (link: string) => string | undefined;
  readonly mounts: readonly LayerMount[];
  /** Whether the layout is that of containers/storage, which keeps work and merged folders for every layer. */
  readonly keepsFolders: boolean;
}

/** What is wrong with one layer. */
export function findLayerDamage(layer: LayerFacts, around: LayerNeighbours): Damage[] {
  if (layer.diff !== "folder") return [checkWithoutDiff(layer, around)];
  return [
    ...checkLinkFile(layer, around),
    ...checkLower(layer, around),
    ...checkWork(layer, around),
    ...checkMerged(layer, around),
    ...findUnlessUnread(exactFolder(layer.id), layer.id, () =>
      findExactDamage(around.folder, exactFolder(layer.id), layer.id),
    ),
  ];
}

function checkWithoutDiff(layer: LayerFacts, around: LayerNeighbours): Damage {
  const { id, diff } = layer;
  const instead = diff === undefined ? "no diff folder" : `a ${diff} where its diff folder should be`;
  const problem = `layer "${id}" has ${instead}`;
  const subject = { kind: "diff-missing", path: `${id}/diff`, problem, layer: id } as const;
  const children = childrenOf(id, around.facts);
  if (children.length > 0) return unmendable(subject, `layers lie on it: ${formatNames(children)}`);
  if (diff !== undefined) return unmendable(subject, `the ${diff} is not the driver's, and never followed`);
  const [mount] = mountsOf(around.home, id, around.mounts);
  if (mount?.elsewhere === true) return unmendable(subject, "another mount namespace has it mounted");
  if (mount !== undefined) return checkStaleMount(id, mount);
  return checkEmptyLayer(layer, around, problem);
}

/** Whoever still works in it keeps it: without MNT_DETACH the kernel refuses while a file is open. */
function checkStaleMount(id: string, { mountPoint, fileSystemType }: LayerMount): Damage {
  const problem = `layer "${id}" is mounted (${fileSystemType}) and has no diff folder`;
  const subject = { kind: "stale-mount", path: `${id}/merged`, problem, layer: id } as const;
  return mendable(subject, () => umount2(mountPoint, 0));
}

function checkEmptyLayer({ id }: LayerFacts, { home, folder }: LayerNeighbours, problem: string): Damage {
  const subject = { kind: "half-made-layer", path: id, problem, layer: id } as const;
  if (holdsSomething(folder, `${id}/merged`)) return unmendable(subject, "its merged folder holds something");
  const others = namesIn(folder, id).map(nameText).filter(isForeign);
  if (others.length > 0) return unmendable(subject, `it holds ${formatNames(others)}, which is not the driver's`);
  return mendable(subject, () => removeLayer(home, id));
}

/** Takes a layer out of the store in one step, and deletes it. */
export function removeLayer(home: string, id: string): void {
  assertNothingMounted(home, id);
  const trashed = discardLayer(home, id);
  if (trashed !== undefined) emptyTrash(home, trashed);
}

function checkLinkFile(layer: LayerFacts, around: LayerNeighbours): Damage[] {
  if (linkOf(layer) !== undefined) return [];
  const { id, linkText } = layer;
  const { home, folder, facts } = around;
  const problem =
    linkText === undefined
      ? `layer "${id}" has no link file`
      : `layer "${id}" has a damaged link file: ${quoteText(linkText)}`;
  const link = findUnclaimedLink(id, facts);
  const wasMade = link !== undefined || layer.lowerText !== undefined || childrenOf(id, facts).length > 0;
  const isMounted = mountsOf(home, id, around.mounts).length > 0;
  if (!wasMade && !isMounted && !holdsSomething(folder, `${id}/diff`)) return [checkEmptyLayer(layer, around, problem)];
  const subject = { kind: "link-file-missing", path: `${id}/link`, problem, layer: id } as const;
  return [mendable(subject, () => giveNewLink(home, id, link))];
}

/** A link to a layer that no layer says to have; one that other layers go by, if there is one. */
function findUnclaimedLink(id: string, { layers, links }: StoreFacts): string | undefined {
  const all = [...layers.values()];
  const claimed = new Set(all.map(linkOf));
  const named = new Set(all.flatMap((layer) => lowerLinksOf(layer) ?? []));
  const unclaimed = [...links].filter(([name, { layer }]) => layer === id && !claimed.has(name)).map(([name]) => name);
  return unclaimed.find((name) => named.has(name)) ?? unclaimed[0];
}

/** A child's list of layers begins with this one, and goes on with what lies below it. */
function checkLower(layer: LayerFacts, around: LayerNeighbours): Damage[] {
  const { home, facts, keepsFolders } = around;
  const { id, lowerText, work } = layer;
  const lowers = lowerLinksOf(layer);
  const isMissing = lowerText === undefined && work !== undefined && !keepsFolders;
  const path = `${id}/lower`;
  if (lowers !== undefined && !isMissing) return checkLowers(id, lowers, around);
  const subject = isMissing
    ? ({
        kind: "lower-missing",
        path,
        problem: `layer "${id}" has a work folder and no lower file`,
        layer: id,
      } as const)
    : ({ kind: "lower-damaged", path, problem: `layer "${id}" has a damaged lower file`, layer: id } as const);
  const told = [...facts.layers.values()]
    .map((child) => lowerLinksOf(child) ?? [])
    .find(([first]) => first !== undefined && facts.links.get(first)?.layer === id);
  const [, ...rest] = told ?? [];
  if (rest.length === 0) return [unmendable(subject, "no layer on it tells what it lies on")];
  const text = rest.map((name) => `${linksFolder}/${name}`).join(":");
  return [mendable(subject, () => withFolderAt(home, (folder) => writeRecord(folder, id, "lower", text, 0o644)))];
}

function checkLowers(id: string, lowers: readonly string[], { resolve }: LayerNeighbours): Damage[] {
  const missing = lowers.filter((link) => resolve(link) === undefined);
  if (missing.length === 0) return [];
  const problem = `layer "${id}" lies on ${formatNames(missing)}, which no layer has`;
  return [
    unmendable({ kind: "lower-dangling", path: `${id}/lower`, problem, layer: id }, "what is gone cannot be made"),
  ];
}

function checkWork({ id, work, lowerText }: LayerFacts, { home }: LayerNeighbours): Damage[] {
  if (lowerText === undefined || work === "folder") return [];
  const subject = { kind: "work-missing", path: `${id}/work`, layer: id } as const;
  if (work !== undefined) {
    return [
      unmendable(
        { ...subject, problem: `layer "${id}" has a ${work} where its work folder should be` },
        "it is not the driver's",
      ),
    ];
  }
  const make = (layer: number): void => {
    const { uid, gid } = statat(layer, "diff");
    mkdirat(layer, "work", 0o700);
    chownat(layer, "work", uid, gid);
  };
  return [
    mendable({ ...subject, problem: `layer "${id}" has no work folder` }, () =>
      withFolderAt(home, (folder) => withFolder(folder, id, make)),
    ),
  ];
}

function checkMerged({ id, merged }: LayerFacts, { home, folder, mounts, keepsFolders }: LayerNeighbours): Damage[] {
  if (merged === undefined || keepsFolders || mountsOf(home, id, mounts).length > 0) return [];
  const subject = {
    kind: "merged-left",
    path: `${id}/merged`,
    problem: `layer "${id}" has a merged folder and is not mounted`,
    layer: id,
  } as const;
  if (merged !== "folder") return [unmendable(subject, `it is a ${merged}`)];
  if (holdsSomething(folder, `${id}/merged`)) return [unmendable(subject, "it holds something")];
  return [
    mendable(subject, () =>
      withFolderAt(home, (opened) => withFolder(opened, id, (layer) => rmdirat(layer, "merged"))),
    ),
  ];
}

function childrenOf(id: string, { layers, links }: StoreFacts): string[] {
  return [...layers.values()]
    .filter((layer) => lowerLinksOf(layer)?.some((name) => links.get(name)?.layer === id))
    .map((layer) => layer.id);
}

function holdsSomething(home: number, path: string): boolean {
  return (
    withPathIfThere(home, path, (folder) => {
      const names: Buffer[] = [];
      while (names.length === 0 && readSomeNames(folder, names));
      return names.length > 0;
    }) ?? false
  );
}
