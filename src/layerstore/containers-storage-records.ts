import type { EngineLayer } from "./engine-records.ts";
import { readRecordAt } from "../graphdriver/kit.ts";

/**
 * What containers/storage (Podman, Buildah, CRI-O) knows of its layers, from `<root>/<driver>-layers/layers.json` and
 * the lists of images and containers beside it, those of containers that are removed when they end (`volatile-…`)
 * included; of a store that is transient, whose lists are elsewhere, that is not all. `undefined` where there is none.
 * Source: containers/storage v1.43 `layers.go`, `images.go`, `containers.go`; later ones have the volatile lists.
 */
export function readContainersStorageLayers(root: number, driver: string): Map<string, EngineLayer> | undefined {
  const listed = readList(root, `${driver}-layers/layers.json`);
  if (listed === undefined) return undefined;
  const names = readNames(root, driver);
  const layers = new Map<string, EngineLayer>();
  const passing = readList(root, `${driver}-layers/volatile-layers.json`) ?? [];
  for (const { id, parent, "diff-digest": digest } of [...listed, ...passing]) {
    if (typeof id !== "string") continue;
    const owner = names.get(id);
    layers.set(id, {
      role: owner?.role ?? "image",
      parent: typeof parent === "string" && parent !== "" ? parent : undefined,
      names: [...(owner?.names ?? []), ...(typeof digest === "string" ? [digest.slice(0, 19)] : [])],
    });
  }
  return layers;
}

/** A list holds all layers of a host, each in some hundred bytes. */
const maxListBytes = 256 << 20;

type Row = Readonly<Record<string, unknown>>;

function readNames(root: number, driver: string) {
  const owners = new Map<string, Pick<EngineLayer, "role" | "names">>();
  const add = (rows: readonly Row[] | undefined, key: string, role: EngineLayer["role"]): void => {
    for (const row of rows ?? []) {
      const names = Array.isArray(row["names"]) ? row["names"].map(String) : [];
      if (typeof row[key] === "string") owners.set(row[key], { role, names });
    }
  };
  add(readList(root, `${driver}-images/images.json`), "layer", "image");
  for (const list of ["containers", "volatile-containers"]) {
    add(readList(root, `${driver}-containers/${list}.json`), "layer", "container");
  }
  return owners;
}

function readList(root: number, path: string): readonly Row[] | undefined {
  const text = readRecordAt(root, path, maxListBytes);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter((row): row is Row => typeof row === "object" && row !== null) : [];
  } catch {
    return undefined; // it is being written, or damaged: then nothing is known
  }
}
