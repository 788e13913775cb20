/**
 * Docker's own layout, so that a store of its built-in driver can be served and the other way round:
 *
 *     <home>/subvolumes/<id>/    the whole tree of the layer: a subvolume, at first a snapshot of the parent's
 *     <home>/quotas/<id>         the layer's size limit in bytes, as decimal text; absent without one
 *     <home>/.cleat/exact/<id>/  Cleat's own: what the layer's archive was (`exact-diff.ts`); absent without the option
 *     <home>/.cleat/layers/<id>  Cleat's own: on what the layer lies, and since when (`layer-record.ts`)
 *
 * In a store of Docker's, the file system alone keeps what a snapshot was taken of. Docker's driver
 * does not look into `.cleat`; what it leaves there of layers that it removed goes when Cleat opens the home.
 *
 * Source: moby v20.10.24 `daemon/graphdriver/btrfs/btrfs.go`.
 */
export const layersFolder = "subvolumes";
export const quotasFolder = "quotas";
export const exactDiffsFolder = ".cleat/exact";

export function layerPath(home: string, id: string): string {
  return `${home}/${layersFolder}/${id}`;
}

export function quotaPath(home: string, id: string): string {
  return `${home}/${quotasFolder}/${id}`;
}

/** Relative to the home. */
export function exactFolder(id: string): string {
  return `${exactDiffsFolder}/${id}`;
}
