/**
 * Docker's own layout, so that a store of its built-in driver can be served and the other way round:
 *
 *     <home>/l/<LINK>            → ../<id>/diff, a short name for mount options
 *     <home>/<id>/diff/          what the layer adds; the upper folder of its mount
 *     <home>/<id>/link           LINK, 26 characters
 *     <home>/<id>/lower          "l/<LINK>:l/<LINK>…", the layers below, the parent first; absent without a parent
 *     <home>/<id>/work/          overlay's own; absent without a parent
 *     <home>/<id>/merged/        the mount point, while mounted
 *     <home>/<id>/committed      empty; the layer has a child and is mounted read-only
 *     <home>/<id>/whole          Cleat's own: the mount after which the diff folder was all of the diff
 *                                (`layer-features.ts`)
 *     <home>/<id>/exact/         Cleat's own: what the layer's archive was (`exact-diff.ts`); absent without the option
 *
 * Docker's driver leaves what it does not know alone, and removes it with the layer. Source: moby v20.10.24
 * `daemon/graphdriver/overlay2/overlay.go`.
 */
import { randomBytes } from "node:crypto";
import { readlinkSync } from "node:fs";
import { posix } from "node:path";
import { CleatError, isSystemError, quoteText } from "../../../errors/index.ts";
import { layerIdPattern, readIfThere } from "../../../graphdriver/job-kit.ts";

/** Holds the links; no layer may be called so. */
export const linksFolder = "l";

/** Where a layer's exact diff is kept, relative to the home. */
export function exactFolder(id: string): string {
  return `${id}/exact`;
}

/** What a layer's link holds. */
export function linkTarget(id: string): string {
  return `../${id}/diff`;
}

const namesInLayer: readonly string[] = ["diff", "link", "lower", "work", "merged", "committed", "whole", "exact"];

/** Whether something in a layer's folder is not of this layout: then the folder may be no layer at all. */
export function isForeign(name: string): boolean {
  return !namesInLayer.includes(name);
}

const linkAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const linkLength = 26;

/** A new LINK: 130 random bits in base 32. */
export function createLink(): string {
  return Array.from(randomBytes(linkLength), (byte) => linkAlphabet[byte % linkAlphabet.length]).join("");
}

/** A layer, and what it lies on: `l/<LINK>` each, relative to the home, the parent first. */
export interface LayerStack {
  readonly id: string;
  readonly lowers: readonly string[];
}

/** Without a parent there is no `lower` file and the layer is its diff folder, never mounted. */
export interface LayerFiles extends LayerStack {
  readonly link: string;
}

/**
 * What a layer's small files say.
 * @throws NOT_FOUND when there is no such layer, DATA_LOSS when its files are damaged.
 */
export function readLayer(home: string, id: string): LayerFiles {
  const link = readIfThere(`${home}/${id}/link`);
  if (link === undefined) throw new CleatError("NOT_FOUND", `layer "${id}" does not exist`);
  if (!isLink(link)) throw new CleatError("DATA_LOSS", `layer "${id}" has a damaged link file: ${quoteText(link)}`);
  const lower = readIfThere(`${home}/${id}/lower`);
  const lowers = lower === undefined ? [] : lower.split(":");
  const damaged = lowers.find((path) => !isLowerPath(path));
  if (damaged !== undefined) {
    throw new CleatError("DATA_LOSS", `layer "${id}" has a damaged lower file: ${quoteText(damaged)}`);
  }
  return { id, link, lowers };
}

/** Links are letters and digits; anything else could add mount options. */
export function isLink(text: string): boolean {
  return /^[A-Z0-9]{1,64}$/.test(text);
}

export function isLowerPath(text: string): boolean {
  return text.startsWith(`${linksFolder}/`) && isLink(text.slice(linksFolder.length + 1));
}

/**
 * The diff folders of the layers below, the parent's first, as absolute paths.
 * @throws FAILED_PRECONDITION when one of them is gone.
 */
export function lowerFolders(home: string, layer: LayerFiles): string[] {
  return layer.lowers.map((lower) => posix.join(home, linksFolder, followLink(home, layer, lower)));
}

/** The ids of the layers below, the parent first. @throws as `lowerFolders`. */
export function lowerIds(home: string, layer: LayerFiles): string[] {
  return layer.lowers.map((lower) => idIn(followLink(home, layer, lower)) as string);
}

/**
 * The same, of links that lead to layers and nowhere else: for paths that others will follow.
 * @throws DATA_LOSS when one does not.
 */
export function belowLayer(home: string, layer: LayerStack): string[] {
  return layer.lowers.map((lower) => {
    const target = followLink(home, layer, lower);
    const id = idIn(target) ?? "";
    if (layerIdPattern.test(id) && target === linkTarget(id)) return id;
    throw new CleatError(
      "DATA_LOSS",
      `layer "${layer.id}" lies on "${lower}", which leads to ${JSON.stringify(target)}`,
    );
  });
}

/** The id of the layer right below, `undefined` for a layer without a parent. @throws as `lowerFolders`. */
export function parentOf(home: string, layer: LayerFiles): string | undefined {
  const [first] = layer.lowers;
  return first === undefined ? undefined : idIn(followLink(home, layer, first));
}

function followLink(home: string, { id }: LayerStack, lower: string): string {
  try {
    return readlinkSync(`${home}/${lower}`);
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
    const message = `layer "${id}" lies on a layer that is gone: there is no "${lower}"`;
    throw new CleatError("FAILED_PRECONDITION", message, { cause: error });
  }
}

/** The id in what a link holds. */
export function idIn(target: string): string | undefined {
  return target.split("/")[1];
}
