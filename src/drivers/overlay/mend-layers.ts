/**
 * Puts right the small files of layers that were made without being flushed (`NewLayer.mendable`), of which a power
 * loss leaves the names and not the content. The link that leads to a layer tells what its `link` file said, and
 * whoever had it made what it lies on. These functions block and run on a worker.
 */
import { readdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import type { MendableLayer } from "../../graphdriver/index.ts";
import { readIfThere } from "../../graphdriver/job-kit.ts";
import { isSystemError } from "../../errors/index.ts";
import { isThere } from "../../syscall/index.ts";
import { createLink, idIn, isLink, isLowerPath, linksFolder, linkTarget, readLayer } from "./layout.ts";

/**
 * Returns those that were not whole. Parents come before what lies on them. A layer that is not there stays so, and one
 * without a `lower` file lies on none, whatever is said of it: a name is never lost. Costs two small files and a link
 * each.
 */
export function mendLayers(home: string, layers: readonly MendableLayer[]): readonly string[] {
  let linkOf: ReadonlyMap<string, string> | undefined;
  return layers.flatMap(({ id, parent }) => {
    if (!isThere(`${home}/${id}/diff`)) return [];
    const isLinked = leadsTo(home, readIfThere(`${home}/${id}/link`), id);
    if (!isLinked) writeDurably(`${home}/${id}/link`, (linkOf ??= readLinks(home)).get(id) ?? makeLink(home, id));
    const isLaid = parent === undefined || isWhole(readIfThere(`${home}/${id}/lower`));
    if (!isLaid) writeDurably(`${home}/${id}/lower`, lowerOn(home, parent));
    return isLinked && isLaid ? [] : [id];
  });
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

function isWhole(lower: string | undefined): boolean {
  return lower === undefined || lower.split(":").every(isLowerPath);
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
