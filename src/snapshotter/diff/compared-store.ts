import type { IsKnownSame } from "../../layer/index.ts";
import type { StoreJobs } from "../../graphdriver/index.ts";
import type { Tree } from "./plan-diff.ts";

/** The store that folders of a plan lie in. Plain data: it goes to a worker. */
export interface ComparedStore {
  /** Absolute, with symlinks resolved. */
  readonly home: string;
  /** Of the module that knows the driver's stores. */
  readonly url: string;
}

export interface OpenTrees {
  readonly newer: number;
  readonly older: number;
}

/** Told of two trees that are open, lends what a store knows of them. */
export type LendKnownSame = <T>(opened: OpenTrees, visit: (isKnownSame?: IsKnownSame) => T) => T;

/** What the driver knows of two trees, where both are layers of its store. Runs on a worker. */
export async function knowTrees(store: ComparedStore | undefined, newer: Tree, older: Tree): Promise<LendKnownSame> {
  const knowNothing: LendKnownSame = (_, visit) => visit();
  if (store === undefined || !("folder" in newer && "folder" in older)) return knowNothing;
  const { home, url } = store;
  const { withKnownSame, layerTree } = (await import(url)) as StoreJobs;
  const layerAt = (folder: string): string | undefined => {
    const id = folder.slice(folder.lastIndexOf("/") + 1);
    return folder === `${home}/${layerTree(id)}` ? id : undefined;
  };
  const [id, parent] = [layerAt(newer.folder), layerAt(older.folder)];
  if (withKnownSame === undefined || id === undefined || parent === undefined) return knowNothing;
  return (opened, visit) => withKnownSame({ home, id, parent, ...opened }, visit);
}
