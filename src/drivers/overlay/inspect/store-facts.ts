import {
  type EntryKind,
  isOfFileSystem,
  kindOf,
  layerIdPattern,
  namesIn,
  nameText,
  orUnread,
  ownFolder,
  readLink,
  readRecord,
  Unread,
  withFolderIfThere,
} from "../../../graphdriver/kit.ts";
import { isLink, isLowerPath, linksFolder, linkTarget } from "../layout/layout.ts";

/** What lies in a store of this layout (`../layout/layout.ts`), as it is, whether or not it makes sense. */
export interface StoreFacts {
  readonly layers: ReadonlyMap<string, LayerFacts>;
  /** What is in the folder of links, by name. */
  readonly links: ReadonlyMap<string, LinkFacts>;
  /** Names in the home that are neither a layer's nor the driver's. */
  readonly strays: readonly Buffer[];
}

export interface LayerFacts {
  readonly id: string;
  readonly diff: EntryKind | undefined;
  readonly work: EntryKind | undefined;
  readonly merged: EntryKind | undefined;
  readonly committed: boolean;
  /** As the file says; `undefined` without one, which `lowerText` is for a layer without a parent, too. */
  readonly linkText: string | undefined;
  readonly lowerText: string | undefined;
  /** Why nothing can be said of it now; all else is left out then. */
  readonly unread?: Unread;
}

export interface LinkFacts {
  readonly kind: EntryKind;
  /** Of a symlink. */
  readonly target: string | undefined;
  /** The layer that it leads to as this layout has it, whether that is there or not. */
  readonly layer: string | undefined;
  /** Why it cannot be told now where it leads. */
  readonly unread?: Unread;
}

/**
 * `backingFsBlockDev` is the device through which Docker sets quotas, the dotted names are those of containers/storage.
 * Source: moby v20.10.24 `quota/projectquota.go`, containers/storage v1.43 `drivers/overlay/overlay.go`.
 */
const namesOfDrivers: readonly string[] = [ownFolder, linksFolder, "backingFsBlockDev", "staging"];

/**
 * Reads the small files of each layer; blocks. Of layers in `mounted` the mount point is not looked at: that would ask
 * the mounted file system, and one of a program in user space may hang.
 */
export function readStoreFacts(home: number, mounted: ReadonlySet<string>): StoreFacts {
  const layers = new Map<string, LayerFacts>();
  const strays: Buffer[] = [];
  for (const name of namesIn(home, ".")) {
    const id = nameText(name);
    if (namesOfDrivers.includes(id) || id.startsWith(".") || isOfFileSystem(id)) continue;
    const layer = layerIdPattern.test(id)
      ? orUnread(() => withFolderIfThere(home, id, (folder) => readFacts(folder, id, mounted.has(id))))
      : undefined;
    if (layer instanceof Unread) layers.set(id, unreadLayer(id, layer));
    else if (layer !== undefined) layers.set(id, layer);
    else if (orUnread(() => kindOf(home, name)) !== undefined) strays.push(name);
  }
  return { layers, strays, links: withFolderIfThere(home, linksFolder, readLinks) ?? new Map() };
}

function unreadLayer(id: string, unread: Unread): LayerFacts {
  const unknown = { diff: undefined, work: undefined, merged: undefined, linkText: undefined, lowerText: undefined };
  return { id, ...unknown, committed: false, unread };
}

function readFacts(folder: number, id: string, isMounted: boolean): LayerFacts {
  return {
    id,
    diff: kindOf(folder, "diff"),
    work: kindOf(folder, "work"),
    merged: isMounted ? "folder" : kindOf(folder, "merged"),
    committed: kindOf(folder, "committed") === "file",
    linkText: readRecord(folder, "link"),
    lowerText: readRecord(folder, "lower"),
  };
}

function readLinks(folder: number): Map<string, LinkFacts> {
  const links = new Map<string, LinkFacts>();
  for (const name of namesIn(folder, ".")) {
    if (isOfFileSystem(nameText(name))) continue;
    const link = orUnread(() => readLinkFacts(folder, name));
    if (link instanceof Unread) {
      links.set(nameText(name), { kind: "symlink", target: undefined, layer: undefined, unread: link });
    } else if (link !== undefined) links.set(nameText(name), link);
  }
  return links;
}

function readLinkFacts(folder: number, name: Buffer): LinkFacts | undefined {
  const kind = kindOf(folder, name);
  if (kind === undefined) return undefined;
  const target = readLink(folder, name);
  const id = target?.split("/")[1] ?? "";
  return { kind, target, layer: layerIdPattern.test(id) && target === linkTarget(id) ? id : undefined };
}

/** The link that a layer says to be its own; `undefined` without one, or where that is damaged. */
export function linkOf({ linkText }: LayerFacts): string | undefined {
  return linkText !== undefined && isLink(linkText) ? linkText : undefined;
}

/** The names of the links of the layers below, the parent's first; `undefined` where the file is damaged. */
export function lowerLinksOf({ lowerText }: LayerFacts): readonly string[] | undefined {
  if (lowerText === undefined) return [];
  const paths = lowerText.split(":");
  return paths.every(isLowerPath) ? paths.map((path) => path.slice(linksFolder.length + 1)) : undefined;
}

/** The layer that a link leads to: as `l/` has it or, where that lacks it, as the layers say themselves. */
export function createLinkResolver({ layers, links }: StoreFacts): (link: string) => string | undefined {
  const claimed = new Map([...layers.values()].map((layer) => [linkOf(layer), layer.id]));
  return (link) => {
    const layer = links.get(link)?.layer;
    return layer !== undefined && layers.has(layer) ? layer : claimed.get(link);
  };
}

/** A layer without one of these was never whole, or is no more. */
export function isHalfMade(layer: LayerFacts): boolean {
  const lowers = lowerLinksOf(layer);
  if (layer.diff !== "folder" || linkOf(layer) === undefined || lowers === undefined) return true;
  return lowers.length > 0 && layer.work !== "folder";
}
