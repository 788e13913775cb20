import { close, fgetxattr, isDirectory, statIfThere } from "../../syscall/index.ts";
import type { OverlayPrefix } from "../entry/whiteout.ts";
import { openFolder } from "../tree/with-folder.ts";
import { isOpaqueFolder, type Lowers, openLowerFolder } from "./lower-folder.ts";

/**
 * Reads the folder that overlay shows at `names` down from the root, also where it, or one above it, was renamed under
 * `redirect_dir`: each layer is followed along the path by which those above it redirect. `undefined` where none is
 * shown. `layers` are the uppermost first. Costs a few system calls for each step of each layer. Source:
 * `overlayfs.rst` v6.1, "renaming directories"; Linux v6.1 `fs/overlayfs/namei.c` `ovl_check_redirect`.
 */
export function readRedirectedFolder<T>(
  layers: Lowers,
  names: readonly string[],
  attributePrefix: OverlayPrefix,
  read: (folder: number) => T,
): T | undefined {
  let path: readonly string[] | undefined = names;
  for (const layer of layers) {
    const found: Found<T> = followOne(layer, path, attributePrefix, read);
    if ("folder" in found) return found.folder;
    path = found.below;
    if (path === undefined) return undefined;
  }
  return undefined;
}

/** What a layer shows, or by what path those below it go on; `undefined` if they show nothing. */
type Found<T> = { readonly folder: T } | { readonly below: readonly string[] | undefined };

function followOne<T>(
  layer: string,
  names: readonly string[],
  attributePrefix: OverlayPrefix,
  read: (folder: number) => T,
): Found<T> {
  let below: readonly string[] | undefined = [];
  /** Whether nothing of the layers below is seen there, but through what is redirected from the root. */
  let hides = false;
  let here = openLowerFolder(layer, "");
  try {
    for (const [at, name] of names.entries()) {
      const status = statIfThere(here, Buffer.from(name, "latin1"));
      if (status === undefined) return { below: hides || !below ? undefined : [...below, ...names.slice(at)] };
      if (!isDirectory(status)) return { below: undefined };
      const child = openFolder(here, Buffer.from(name, "latin1"));
      close(here);
      here = child;
      const redirect = fgetxattr(here, `${attributePrefix}overlay.redirect`)?.toString("latin1");
      if (isOpaqueFolder(here, attributePrefix)) hides = true;
      else if (redirect?.startsWith("/") === true) hides = false;
      below = redirected(below, redirect ?? name);
    }
    return { folder: read(here) };
  } finally {
    close(here);
  }
}

/**
 * A path from the root, or another name in the folder in which it is. It is data of whoever wrote the layer: `undefined`
 * for what the kernel refuses, which may lead out of the layers. Source: Linux v6.1 `fs/overlayfs/namei.c`
 * `ovl_get_redirect_xattr`, `fs/namei.c` `lookup_one_common`.
 */
function redirected(above: readonly string[] | undefined, redirect: string): readonly string[] | undefined {
  const names = redirect.startsWith("/") ? redirect.slice(1).split("/") : [redirect];
  if (!names.every(isPlainName)) return undefined;
  return redirect.startsWith("/") ? names : above && [...above, redirect];
}

function isPlainName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name);
}
