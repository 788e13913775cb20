import { readIfThere } from "../../../graphdriver/job-kit.ts";
import { isSystemError, quoteText } from "../../../errors/index.ts";
import { readlinkSync } from "node:fs";
import { idIn, isLink, isLowerPath, linksFolder, linkTarget } from "./layout.ts";

/** What the small files of a layer say; `undefined` where one is not there. */
interface SmallFiles {
  readonly link: string | undefined;
  readonly lower: string | undefined;
}

/**
 * Finds layers whose small files contradict others, as where somebody has swapped two folders or edited a `lower` file:
 * the link of a layer leads to it, and it lies on its parent and on what that lies on. Reads the files of each layer
 * once; blocks; runs on a worker. Other damage is `cleat fsck`'s to find.
 */
export function createMisfitFinder(home: string): (id: string) => string | undefined {
  const known = new Map<string, SmallFiles>();
  const read = (id: string): SmallFiles => {
    const seen = known.get(id);
    if (seen !== undefined) return seen;
    const files = { link: readText(`${home}/${id}/link`), lower: readText(`${home}/${id}/lower`) };
    known.set(id, files);
    return files;
  };
  const misfitOfLink = (id: string, link: string): string | undefined => {
    const target = readLink(`${home}/${linksFolder}/${link}`);
    if (target === undefined || target === linkTarget(id)) return undefined;
    return `its link leads to ${quoteText(target)}`;
  };
  /** The parent is what the first path of `lower` leads to; behind it has to stand what the parent itself lies on. */
  const misfitOfLower = (id: string, lower: string): string | undefined => {
    const [first = ""] = lower.split(":", 1);
    if (!isLowerPath(first)) return undefined;
    const parent = idIn(readLink(`${home}/${first}`) ?? "");
    if (parent === undefined || parent === id) return undefined;
    const { link, lower: lowerOfParent } = read(parent);
    if (link === undefined || !isLink(link) || lowerOfParent === "") return undefined;
    const expected = [`${linksFolder}/${link}`, ...(lowerOfParent === undefined ? [] : [lowerOfParent])];
    if (lower === expected.join(":")) return undefined;
    return `it lies on layer "${parent}", but not on the layers that "${parent}" lies on`;
  };
  return (id) => {
    const { link, lower } = read(id);
    if (link === undefined || !isLink(link)) return undefined;
    return misfitOfLink(id, link) ?? (lower === undefined ? undefined : misfitOfLower(id, lower));
  };
}

/** What cannot be read contradicts nobody, and keeps no other layer from being listed. */
function readText(path: string): string | undefined {
  try {
    return readIfThere(path);
  } catch (error) {
    if (isSystemError(error)) return "";
    throw error;
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
