/** Files that others read, or that must survive a crash, written whole. Node's own calls; nothing native. */
export { makeFolders } from "./make-folders.ts";
export { isStagedFor, makeFile, replaceFile, type ReplaceFileOptions } from "./replace-file.ts";
export { syncFolder } from "./sync-folder.ts";
