import { isSystemError } from "../../../errors/index.ts";
import { isDirectory, mkdirat, statat } from "../../../syscall/index.ts";
import type { TarHeader } from "../../../tar/index.ts";
import { type EntryName, joinPath } from "../../entry/entry-name.ts";
import { creationMode } from "../../copy/owner-and-mode.ts";
import { dropInheritedAt } from "../../copy/inherited-access.ts";
import type { Attributes } from "../folders/attributes.ts";
import type { DirectoryAttributes } from "../folders/directory-attributes.ts";
import type { OpenFolder } from "../folders/folder-cache.ts";
import type { OpenFolders } from "../folders/open-folders.ts";
import type { WhiteoutMaker } from "../whiteouts/whiteout-maker.ts";
import type { NameReplacer } from "./replace-name.ts";

export interface DirectoryMakerOptions {
  readonly folders: OpenFolders;
  readonly directories: DirectoryAttributes;
  readonly whiteouts: WhiteoutMaker;
}

/** Makes the folder that an entry describes, or keeps the one that is there; its attributes are set in the end. */
export function makeDirectory(
  name: EntryName,
  header: TarHeader,
  wanted: Attributes,
  { folders, directories, whiteouts }: DirectoryMakerOptions,
  names: NameReplacer,
): void {
  const folder = folders.get(name.folder);
  const path = joinPath(folder.path(), name.base);
  try {
    makeFolder(folder, name.base, wanted);
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw error;
    if (!isDirectory(statat(folder.descriptor, name.base))) {
      // Be it a whiteout or a file, it hid the folder of that name below, which the new one must not uncover.
      names.replace(name, (parent) => makeFolder(parent, name.base, wanted));
      whiteouts.makeOpaque(path);
    }
  }
  directories.set(path, header);
}

function makeFolder({ descriptor, givesAcl }: OpenFolder, base: Buffer, wanted: Attributes): void {
  mkdirat(descriptor, base, creationMode(wanted, true));
  // Before anything in it gets them, too; the rest is set in the end.
  if (givesAcl) dropInheritedAt(descriptor, base);
}
