/**
 * Puts right the small files of layers that were made without being flushed (`NewLayer.mendable`), of which a power
 * loss leaves the names and not the content. The link that leads to a layer tells what its `link` file said, and
 * whoever had it made what it lies on. These functions block and run on a worker.
 */
import { readdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import type { MendableLayer } from "../../../graphdriver/index.ts";
import { readIfThere } from "../../../graphdriver/job-kit.ts";
import { isDiskFull, isSystemError } from "../../../errors/index.ts";
import { isThere } from "../../../syscall/index.ts";
import { createLink, idIn, isLink, isLowerPath, linksFolder, linkTarget, readLayer } from "../layout/layout.ts";

/** What `mendLayers` found; ids of layers. */
export interface MendedLayers {
  readonly mended: readonly string[];
  /** Those whose files, or their parent's, cannot be read now, with what the system says: they are not mended. */
  readonly unread: ReadonlyMap<string, string>;
}

/**
 * Tells which were not whole. Parents come before what lies on them. A layer that is not there stays so, and one
 * without a `lower` file lies on none, whatever is said of it: a name is never lost. Costs two small files and a link
 * each.
 */
export function mendLayers(home: string, layers: readonly MendableLayer[]): MendedLayers {
  const unread = new Map<string, string>();
  let linkOf: ReadonlyMap<string, string> | undefined;
  /** What a layer says that lies on one of these. */
  const lowerOf = new Map<string, string>();

  /** Of a parent that was not looked at, the list may be cut off: it would be cut off here for good. */
  function lowerFor(id: string, parent: string): string | undefined {
    const known = lowerOf.get(parent);
    if (known !== undefined) return known;
    if (!unread.has(parent)) return lowerOn(home, parent);
    unread.set(id, `layer "${parent}", on which it lies, cannot be looked at`);
    return undefined;
  }

  function mendLayer({ id, parent }: MendableLayer): boolean {
    if (!isThere(`${home}/${id}/diff`)) return false;
    let link = readIfThere(`${home}/${id}/link`);
    const isLinked = leadsTo(home, link, id);
    if (!isLinked) {
      link = (linkOf ??= readLinks(home)).get(id) ?? makeLink(home, id);
      writeDurably(`${home}/${id}/link`, link);
    }
    let lower = parent === undefined ? undefined : readIfThere(`${home}/${id}/lower`);
    const isLaid = parent === undefined || isWhole(lower, lowerOf.get(parent));
    if (!isLaid) {
      lower = lowerFor(id, parent);
      if (lower === undefined) return false;
      writeDurably(`${home}/${id}/lower`, lower);
    }
    lowerOf.set(id, [`${linksFolder}/${link}`, ...(lower === undefined ? [] : [lower])].join(":"));
    return !(isLinked && isLaid);
  }

  const mended = layers.filter((layer) => {
    try {
      return mendLayer(layer);
    } catch (error) {
      if (!isSystemError(error) || isDiskFull(error)) throw error;
      unread.set(layer.id, error.message);
      return false;
    }
  });
  return { mended: mended.map(({ id }) => id), unread };
}

function leadsTo(home: string, link: string | undefined, id: string): boolean {
  if (link === undefined || !isLink(link)) return false;
  try {
    return readlinkSync(`${home}/${linksFolder}/${link}`) === linkTarget(id);
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/** A list that the disk has cut off may well end in what looks like a link, or between two. */
function isWhole(lower: string | undefined, expected: string | undefined): boolean {
  if (lower === undefined || lower === expected) return true;
  return lower.split(":").every(isLowerPath) && expected?.startsWith(lower) !== true;
}

function lowerOn(home: string, parent: string): string {
  const { link, lowers } = readLayer(home, parent);
  return [`${linksFolder}/${link}`, ...lowers].join(":");
}

/** By the layer, the link that leads to it. */
function readLinks(home: string): ReadonlyMap<string, string> {
  const links = readdirSync(`${home}/${linksFolder}`).filter(isLink);
  return new Map(links.map((link) => [idIn(readlinkSync(`${home}/${linksFolder}/${link}`)) ?? "", link]));
}

function makeLink(home: string, id: string): string {
  const link = createLink();
  symlinkSync(linkTarget(id), `${home}/${linksFolder}/${link}`);
  return link;
}

function writeDurably(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o644, flush: true });
}
