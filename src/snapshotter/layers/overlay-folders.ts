import type { MountSpec } from "../../graphdriver/index.ts";

/** The folders that a mount for writing names. */
export interface WritableFolders {
  /** Where what is written goes: the upper folder of an overlay, the source of a bind. */
  readonly upper: string;
  /** Right below, where the layer has a parent and is no copy of it. */
  readonly lower: string | undefined;
}

export function foldersOf({ source, options }: MountSpec): WritableFolders {
  const valueOf = (name: string) => options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
  return { upper: valueOf("upperdir") ?? source, lower: valueOf("lowerdir")?.split(":")[0] };
}

/**
 * What an engine is told that unpacks a layer which may get a parent later. It never mounts that, but takes the upper
 * folder from it and writes there, with whiteouts as overlay has them: through a bind it would delete nothing, as
 * nothing is there, and forget the whiteout. Source: containerd v1.6.20 `diff/apply/apply_linux.go` `getOverlayPath`,
 * v2.2.0 `core/diff/apply/apply_linux.go`.
 *
 * An image's lowest layer is told the same, as nothing in the request tells it from the others before v2.3. If its
 * archive holds whiteouts, which say nothing there, they stay as devices 0/0: a bind of that layer alone shows them,
 * and so does a container in folders which no layer above has. So it is in containerd's own overlayfs wherever it
 * unpacks side by side (v2.2.3 `core/unpack/unpacker.go` `bindToOverlay`).
 */
export function toUnpackedMount(mount: MountSpec): MountSpec {
  return { type: "overlay", source: "overlay", options: [`upperdir=${foldersOf(mount).upper}`] };
}
