import { withFolderAt } from "../../../layer/index.ts";
import { unlinkat } from "../../../syscall/index.ts";
import {
  type Damage,
  formatNames,
  mendable,
  unmendable,
  withFolderIfThere,
  writeLink,
  writeRecord,
} from "../../../graphdriver/kit.ts";
import { createLink, isLink, linksFolder, linkTarget } from "../layout/layout.ts";
import { type LayerFacts, type LinkFacts, linkOf, lowerLinksOf, type StoreFacts } from "./store-facts.ts";

/** What is wrong between `l/` and the layers' link files. The layer's word counts for more than the folder's. */
export function findLinkDamage(home: string, facts: StoreFacts): Damage[] {
  const owners = ownersOfLinks(facts);
  const named = new Set([...facts.layers.values()].flatMap((layer) => lowerLinksOf(layer) ?? []));
  return [
    ...[...facts.links].flatMap(([name, link]) => {
      if (link.unread !== undefined) return [];
      const owning = owners.get(name) ?? [];
      const checkOne =
        owning.length > 0 ? checkOwned(home, name, link, owning, facts) : checkUnowned(home, name, link, facts, named);
      return checkOne ?? [];
    }),
    ...[...owners].flatMap(([name, owning]) => checkOwners(home, name, facts.links.get(name), owning)),
  ];
}

/** Layers that have content, by the link that they say they have. */
function ownersOfLinks({ layers }: StoreFacts): Map<string, LayerFacts[]> {
  const owners = new Map<string, LayerFacts[]>();
  for (const layer of layers.values()) {
    const link = linkOf(layer);
    if (link !== undefined && layer.diff === "folder") owners.set(link, [...(owners.get(link) ?? []), layer]);
  }
  return owners;
}

function checkOwned(
  home: string,
  name: string,
  link: LinkFacts,
  owning: readonly LayerFacts[],
  facts: StoreFacts,
): Damage | undefined {
  if (owning.some(({ id }) => id === link.layer)) return undefined;
  const [owner, ...others] = owning.map(({ id }) => id);
  const subject = {
    kind: "link-wrong",
    path: pathOf(name),
    problem: `${describe(name, link)}, not to ${formatNames(owning.map(({ id }) => id))}`,
  } as const;
  if (link.kind === "folder") return unmendable(subject, "it is a folder, which may hold content");
  if (owner === undefined || others.length > 0) return unmendable(subject, "several layers say that it is theirs");
  if (isExchanged(link, facts)) return unmendable({ ...subject, layer: owner }, "its folder may be another layer's");
  return mendable({ ...subject, layer: owner }, () => makeLink(home, name, owner));
}

/** Whether the layer that a link leads to has itself a link to another one, as after two folders were exchanged. */
function isExchanged({ layer }: LinkFacts, { layers, links }: StoreFacts): boolean {
  const led = layers.get(layer ?? "");
  const own = led && links.get(linkOf(led) ?? "")?.layer;
  return led?.diff === "folder" && own !== undefined && own !== layer && layers.has(own);
}

function checkUnowned(
  home: string,
  name: string,
  link: LinkFacts,
  { layers }: StoreFacts,
  named: ReadonlySet<string>,
): Damage | undefined {
  const path = pathOf(name);
  if (link.kind !== "symlink") {
    return unmendable({ kind: "link-wrong", path, problem: describe(name, link) }, "it is not a link, and no layer's");
  }
  if (!isLink(name)) {
    return unmendable({ kind: "link-wrong", path, problem: describe(name, link) }, "no driver names its links so");
  }
  const remove = (): void => removeLink(home, name);
  const layer = layers.get(link.layer ?? "");
  if (layer !== undefined && linkOf(layer) === undefined) return undefined; // the layer has lost its word
  if (layer?.diff === "folder") {
    if (named.has(name)) return undefined; // an old link that children go by is as good
    const problem = `${describe(name, link)}, whose link is another, and no layer goes by it`;
    return mendable({ kind: "link-unused", path, problem, layer: layer.id }, remove);
  }
  if (layer !== undefined) return undefined; // its diff is missing, which is told of the layer
  if (link.layer === undefined) {
    return mendable(
      { kind: "link-wrong", path, problem: `${describe(name, link)}, which is not a layer's diff` },
      remove,
    );
  }
  return mendable({ kind: "link-dangling", path, problem: `${describe(name, link)}, which is not there` }, remove);
}

function checkOwners(home: string, name: string, link: LinkFacts | undefined, owning: readonly LayerFacts[]): Damage[] {
  const keeper = owning.find(({ id }) => id === link?.layer) ?? owning[0];
  const missing = owning.slice(0, link === undefined ? 1 : 0).map(({ id }) => {
    const problem = `layer "${id}" has the link "${name}", which is not in ${linksFolder}/`;
    return mendable({ kind: "link-missing", path: pathOf(name), problem, layer: id }, () => makeLink(home, name, id));
  });
  const shared = owning
    .filter((layer) => layer !== keeper)
    .map(({ id }) => {
      const problem = `layer "${id}" has the link "${name}", which is that of layer "${keeper?.id}"`;
      return mendable({ kind: "link-shared", path: `${id}/link`, problem, layer: id }, () => giveNewLink(home, id));
    });
  return [...missing, ...shared];
}

function pathOf(name: string): string {
  return `${linksFolder}/${name}`;
}

function describe(name: string, { kind, target }: LinkFacts): string {
  return kind === "symlink" ? `link "${name}" leads to ${JSON.stringify(target)}` : `link "${name}" is a ${kind}`;
}

function makeLink(home: string, name: string, id: string): void {
  withFolderAt(home, (folder) => writeLink(folder, linksFolder, name, linkTarget(id)));
}

function removeLink(home: string, name: string): void {
  withFolderAt(home, (folder) => withFolderIfThere(folder, linksFolder, (links) => unlinkat(links, name)));
}

/** The link comes before the word of it, so that a crash leaves one too many and no layer without. */
export function giveNewLink(home: string, id: string, link = createLink()): void {
  makeLink(home, link, id);
  withFolderAt(home, (folder) => writeRecord(folder, id, "link", link, 0o644));
}
