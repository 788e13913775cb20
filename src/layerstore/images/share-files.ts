import { shareContent, type SharedContent, withFolderAt } from "../../layer/index.ts";

/** Makes the files in folder `to` share their blocks with those in the folder of a layer. Blocks. */
export function shareFiles(tree: string, to: string): SharedContent {
  return withFolderAt(tree, (source) => withFolderAt(to, (target) => shareContent(source, target)));
}
