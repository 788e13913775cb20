/**
 * Docker's own layout, and beside it what makes `applyDiff` all or nothing although it works in place:
 *
 *     <home>/dir/<id>/                 the whole tree of the layer
 *     <home>/.cleat/unfilled/<id>      no diff was applied to the layer yet; holds the parent's id, or nothing
 *     <home>/.cleat/filling/<id>       the same file while a diff is being applied: where a process died meanwhile, the
 *                                      layer is made anew from its parent before anybody sees it
 *     <home>/.cleat/exact/<id>/        what the layer's archive was (`exact-diff.ts`); absent without the option. It
 *                                      counts once the layer is filled, that is, once `filling/<id>` is gone
 *     <home>/.cleat/layers/<id>        on what the layer lies, and when it was copied (`layer-record.ts`); absent for
 *                                      layers that Cleat did not make
 *
 * Source: moby v20.10.24 `daemon/graphdriver/vfs/driver.go`.
 */
export const layersFolder = "dir";
export const unfilledFolder = ".cleat/unfilled";
export const fillingFolder = ".cleat/filling";
export const exactDiffsFolder = ".cleat/exact";

/** Relative to the home. */
export function exactFolder(id: string): string {
  return `${exactDiffsFolder}/${id}`;
}

export function layerPath(home: string, id: string): string {
  return `${home}/${layersFolder}/${id}`;
}
