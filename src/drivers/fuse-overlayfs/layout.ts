/**
 * overlay2's layout (`../overlay2/layout.ts`), which is that of Docker's own fuse-overlayfs as well, so that a store of
 * either can be served by the other. Deletions are kept as overlay2 keeps them: the program takes a character device
 * 0/0 and the attribute `overlay.opaque` as it takes the `.wh.` files of Docker's driver, and unlike those they say
 * what they mean where a layer brings a file under the name that it deletes.
 *
 * In the upper folder of a container the program keeps more of its own: `.wh..wh..opq` beside the attribute, and
 * whiteouts of that. Through a mount nobody sees or makes a name that begins with `.wh.`.
 *
 * Source: moby v20.10.24 `daemon/graphdriver/fuse-overlayfs/fuseoverlayfs.go`; fuse-overlayfs 1.10 `main.c`,
 * `load_dir`, `is_directory_opaque`, `set_fd_opaque`.
 */
import { findMountedOfType } from "../overlay/mounts/find-mounted.ts";

/** The most layers below another. Source: moby, same file, `maxDepth`. */
export const maxDepth = 128;

/**
 * The layers of a home that are mounted now, whoever mounted them and whether or not their programs are alive; one that
 * is mounted twice comes twice. `home` has its symlinks resolved.
 */
export function findMountedLayers(home: string): string[] {
  return findMountedOfType(home, isFuse);
}

/** `fuse.fuse-overlayfs`; a program that sets no subtype is plain `fuse`. */
function isFuse(fileSystemType: string): boolean {
  return fileSystemType === "fuse" || fileSystemType.startsWith("fuse.");
}
