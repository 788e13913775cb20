/**
 * What a Docker daemon knows of the layers in its data root, read from its files and as tolerantly as can be:
 *
 *     <data-root>/image/<driver>/layerdb/sha256/<chain>/{cache-id,parent,diff}    a layer of images
 *     <data-root>/image/<driver>/layerdb/tmp/<name>/{cache-id,…}                  the same while it is pulled
 *     <data-root>/image/<driver>/layerdb/mounts/<container>/{mount-id,init-id,parent}
 *     <data-root>/image/<driver>/repositories.json, imagedb/content/sha256/<image>    names of images
 *     <data-root>/containers/<container>/config.v2.json                           names of containers
 *
 * Source: moby v20.10.24 `layer/filestore.go`, `image/fs.go`, `reference/store.go`, `container/container.go`.
 */
import { nameText, namesIn, parseObject, readJsonAt, readRecordAt, withPathIfThere } from "../graphdriver/kit.ts";
import type { EngineLayer } from "./engine-records.ts";
import { chainIdsOf } from "./chain-ids.ts";

/** By the id of the layer in the store; `undefined` where no daemon has kept anything. */
export function readDockerLayers(dataRoot: number, driver: string): Map<string, EngineLayer> | undefined {
  const database = `image/${driver}/layerdb`;
  if (!withPathIfThere(dataRoot, database, () => true)) return undefined;
  const chains = readChains(dataRoot, database);
  const names = readImageNames(dataRoot, driver);
  const layers = new Map<string, EngineLayer>();
  for (const [chain, { cacheId, diffId, parent }] of chains) {
    const label = [...(names.get(chain) ?? []), ...(diffId === undefined ? [] : [shortDigest(diffId)])];
    layers.set(cacheId, { role: "image", parent: cacheIdOf(chains, parent), names: label });
  }
  for (const [id, layer] of readMounts(dataRoot, database, chains)) layers.set(id, layer);
  for (const name of namesIn(dataRoot, `${database}/tmp`).map(nameText)) {
    const cacheId = readRecordAt(dataRoot, `${database}/tmp/${name}/cache-id`);
    if (cacheId !== undefined) layers.set(cacheId, { role: "image", parent: undefined, names: ["being made"] });
  }
  return layers;
}

interface Chain {
  readonly cacheId: string;
  readonly diffId: string | undefined;
  readonly parent: string | undefined;
}

type Chains = ReadonlyMap<string, Chain>;

function readChains(dataRoot: number, database: string): Map<string, Chain> {
  const chains = new Map<string, Chain>();
  for (const hex of namesIn(dataRoot, `${database}/sha256`).map(nameText)) {
    const read = (name: string): string | undefined => readRecordAt(dataRoot, `${database}/sha256/${hex}/${name}`);
    const cacheId = read("cache-id");
    if (cacheId !== undefined) chains.set(`sha256:${hex}`, { cacheId, diffId: read("diff"), parent: read("parent") });
  }
  return chains;
}

function cacheIdOf(chains: Chains, chain: string | undefined): string | undefined {
  return chain === undefined ? undefined : chains.get(chain)?.cacheId;
}

function* readMounts(dataRoot: number, database: string, chains: Chains): Generator<[string, EngineLayer]> {
  for (const container of namesIn(dataRoot, `${database}/mounts`).map(nameText)) {
    const read = (name: string): string | undefined =>
      readRecordAt(dataRoot, `${database}/mounts/${container}/${name}`);
    const [mountId, initId, image] = [read("mount-id"), read("init-id"), cacheIdOf(chains, read("parent"))];
    const label = [containerName(dataRoot, container) ?? container.slice(0, shownDigits)];
    if (initId !== undefined) yield [initId, { role: "init", parent: image, names: label }];
    if (mountId !== undefined) yield [mountId, { role: "container", parent: initId ?? image, names: label }];
  }
}

function containerName(dataRoot: number, container: string): string | undefined {
  const name = readJsonAt(dataRoot, `containers/${container}/config.v2.json`)?.["Name"];
  return typeof name === "string" ? name.replace(/^\//, "") : undefined;
}

/** Names of images, at the topmost layer of each. */
function readImageNames(dataRoot: number, driver: string): Map<string, string[]> {
  const names = new Map<string, string[]>();
  const repositories = readJsonAt(dataRoot, `image/${driver}/repositories.json`)?.["Repositories"] ?? {};
  for (const [name, digest] of Object.values(repositories).flatMap((tags) => Object.entries(tags ?? {}))) {
    if (name.includes("@")) continue; // the same image by its digest
    if (typeof digest !== "string" || !digestPattern.test(digest)) continue;
    const chain = topChain(readRecordAt(dataRoot, `image/${driver}/imagedb/content/${digest.replace(":", "/")}`));
    if (chain !== undefined) names.set(chain, [...(names.get(chain) ?? []), name]);
  }
  return names;
}

/** A digest as Docker writes it; anything else could lead out of the folder of images. */
const digestPattern = /^[a-z0-9]+:[0-9a-f]+$/;

function topChain(config: string | undefined): string | undefined {
  const { diff_ids: diffIds } = (parseObject(config ?? "")?.["rootfs"] ?? {}) as { diff_ids?: unknown };
  return Array.isArray(diffIds) ? chainIdsOf(diffIds.map(String)).at(-1) : undefined;
}

/** As many as Docker's own tables show. */
const shownDigits = 12;

function shortDigest(digest: string): string {
  return digest.slice(0, digest.indexOf(":") + 1 + shownDigits);
}
