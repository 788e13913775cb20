import type { Fidelity } from "./tree-listing.ts";

/** What an engine keeps its layers on: a driver of Docker's own, or one of Cleat's behind a plugin. */
export interface Storage {
  readonly title: string;
  /** The driver that Cleat serves; undefined where the engine uses its own. */
  readonly cleatDriver: string | undefined;
  /** What a layer has of its parent; Docker's own `vfs` copies no attribute but `security.capability`. */
  readonly inherits: Fidelity;
  /** What `dockerd --storage-driver` names; under a data root also the folder of the layers. */
  readonly storageDriver: string;
}

export const builtinOverlay2 = builtin("overlay2");
export const cleatOverlay2 = cleat("overlay2");

/**
 * Docker's own drivers are in here because a test that they fail says nothing about Cleat.
 */
export const storages: readonly Storage[] = [cleatOverlay2, cleat("vfs"), builtinOverlay2, builtin("vfs")];

/** Rows for `describe.each`. */
export function byTitle(rows: readonly Storage[]): [title: string, storage: Storage][] {
  return rows.map((storage) => [storage.title, storage]);
}

function builtin(storageDriver: string): Storage {
  const title = `builtin ${storageDriver}`;
  return {
    title,
    cleatDriver: undefined,
    storageDriver,
    inherits: storageDriver === "vfs" ? "archived" : "exact",
  };
}

function cleat(driver: string): Storage {
  const title = `cleat ${driver}`;
  return { title, cleatDriver: driver, storageDriver: `cleat-${driver}`, inherits: "exact" };
}
