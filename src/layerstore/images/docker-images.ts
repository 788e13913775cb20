/**
 * The images in a Docker daemon's data root, with all that it takes to make each of their layers' archives again:
 *
 *     <data-root>/image/<driver>/
 *       repositories.json                          names of images
 *       imagedb/content/sha256/<image>             the configuration, which has that digest
 *       imagedb/metadata/sha256/<image>/parent     what the classic builder made it from
 *       layerdb/sha256/<chain>/                    cache-id, diff, tar-split.json.gz
 *
 * Source: moby v20.10.24 `image/fs.go`, `reference/store.go`, `layer/filestore.go`.
 */
import { createHash } from "node:crypto";
import {
  kindOf,
  layerIdPattern,
  nameText,
  namesIn,
  parseObject,
  readRecordAt,
  withPathIfThere,
} from "../../graphdriver/kit.ts";
import { chainIdsOf } from "../chain-ids.ts";

export interface DockerImage {
  /** The digest of `config`: "sha256:…". */
  readonly id: string;
  /** With their tags, as Docker shows them: "busybox:latest"; none where Docker shows "<none>". */
  readonly names: readonly string[];
  /** The configuration, to the byte. */
  readonly config: Buffer;
  /** From the lowest up. */
  readonly layers: readonly DockerImageLayer[];
  /** Why it cannot be taken out of the store; nothing where it can, as far as its records tell. */
  readonly obstacle: string | undefined;
}

export interface DockerImageLayer {
  /** The digest of the layer's archive, not compressed. */
  readonly diffId: string;
  /** The digest of the layer on all that it lies on. */
  readonly chainId: string;
  /** What the driver calls it. */
  readonly id: string;
}

export interface DockerImageList {
  /** Those that have a name. */
  readonly images: readonly DockerImage[];
  /** Those that have none, and are not just a step on the way to another. */
  readonly unnamed: readonly DockerImage[];
}

/** Reads the records of all images that `driver` keeps, as Docker calls it; a few small files for each layer. */
export function readDockerImages(dataRoot: number, driver: string): DockerImageList {
  const folder = `image/${driver}`;
  const names = readNames(dataRoot, folder);
  const images = [...names].map(([id, own]) => readImage(dataRoot, folder, id, own.toSorted()));
  const unnamed = findUnnamed(dataRoot, folder, names).map((id) => readImage(dataRoot, folder, id, []));
  return { images: images.toSorted(byName), unnamed };
}

/** Where Docker keeps the tar-split data of a layer, relative to its data root. */
export function tarSplitPath(driver: string, { chainId }: DockerImageLayer): string {
  return `image/${driver}/layerdb/${chainId.replace(":", "/")}/${tarSplitFile}`;
}

const tarSplitFile = "tar-split.json.gz";

/** Only these name files of the store: anything else could lead out of it. */
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** Docker reads all of it into memory, too. */
const maxRecordBytes = 16 * 1024 * 1024;

/** Tags of images by their ids; what an image is called by its digest in a registry is left out. */
function readNames(dataRoot: number, folder: string): Map<string, string[]> {
  const names = new Map<string, string[]>();
  const text = readRecordAt(dataRoot, `${folder}/repositories.json`, maxRecordBytes) ?? "{}";
  const repositories = parseObject(text)?.["Repositories"] ?? {};
  for (const [name, id] of Object.values(repositories).flatMap((tags) => Object.entries(tags ?? {}))) {
    if (name.includes("@") || typeof id !== "string" || !digestPattern.test(id)) continue;
    names.set(id, [...(names.get(id) ?? []), name]);
  }
  return names;
}

function findUnnamed(dataRoot: number, folder: string, named: ReadonlyMap<string, unknown>): readonly string[] {
  const ids = namesIn(dataRoot, `${folder}/imagedb/content/sha256`)
    .map((hex) => `sha256:${nameText(hex)}`)
    .filter((id) => digestPattern.test(id));
  const metadata = `${folder}/imagedb/metadata`;
  const parents = ids.map((id) => readRecordAt(dataRoot, `${metadata}/${id.replace(":", "/")}/parent`)?.trim());
  const steps = new Set(parents);
  return ids.filter((id) => !named.has(id) && !steps.has(id)).toSorted();
}

function readImage(dataRoot: number, folder: string, id: string, names: readonly string[]): DockerImage {
  const text = readRecordAt(dataRoot, `${folder}/imagedb/content/${id.replace(":", "/")}`, maxRecordBytes);
  const config = Buffer.from(text ?? "");
  const refused = (obstacle: string): DockerImage => ({ id, names, config, layers: [], obstacle });
  if (text === undefined) return refused("its configuration is not there");
  const digest = `sha256:${createHash("sha256").update(config).digest("hex")}`;
  if (digest !== id) return refused(`its configuration is damaged: its digest is ${digest}`);
  const diffIds = diffIdsOf(text);
  if (diffIds === undefined) return refused("its configuration names no layers");
  const layers: DockerImageLayer[] = [];
  for (const [at, chainId] of chainIdsOf(diffIds).entries()) {
    const layer = readLayer(dataRoot, folder, chainId, diffIds[at] as string);
    if (typeof layer === "string") return refused(layer);
    layers.push(layer);
  }
  return { id, names, config, layers, obstacle: undefined };
}

/** What is recorded of a layer, or what is wrong with it. */
function readLayer(dataRoot: number, folder: string, chainId: string, diffId: string): DockerImageLayer | string {
  const path = `${folder}/layerdb/${chainId.replace(":", "/")}`;
  const read = (name: string) => readRecordAt(dataRoot, `${path}/${name}`)?.trim();
  const id = read("cache-id");
  if (id === undefined) return `layer ${chainId} is not there`;
  if (!layerIdPattern.test(id)) return `layer ${chainId} has a cache-id that is none`;
  if (read("diff") !== diffId) return `layer ${chainId} is recorded to be another than ${diffId}`;
  const kind = withPathIfThere(dataRoot, path, (opened) => kindOf(opened, tarSplitFile));
  if (kind !== "file") return `layer ${chainId} has no ${tarSplitFile}, without which its archive cannot be made again`;
  return { diffId, chainId, id };
}

/** An image may have no layers. */
function diffIdsOf(config: string): string[] | undefined {
  const { diff_ids: diffIds = [] } = (parseObject(config)?.["rootfs"] ?? {}) as { diff_ids?: unknown };
  if (!Array.isArray(diffIds)) return undefined;
  return diffIds.every((id) => typeof id === "string" && digestPattern.test(id)) ? (diffIds as string[]) : undefined;
}

function byName({ names: [a = ""] }: DockerImage, { names: [b = ""] }: DockerImage): number {
  return a < b ? -1 : Number(a > b);
}
