import { CleatError } from "../../errors/index.ts";

export interface Page {
  readonly ids: readonly string[];
  /** "" at the end of the list. */
  readonly nextToken: string;
}

/**
 * A page of a list of ids: the first `maxEntries` (0: all) behind the one that `token` stands for. Ids that come and go
 * between pages move nothing: a page begins behind a name, not at a position.
 *
 * @throws INVALID_ARGUMENT for a number below zero. @throws ABORTED for a token that was not made here, as CSI has it.
 */
export function pageOf(ids: readonly string[], maxEntries: number, token: string): Page {
  if (maxEntries < 0) throw new CleatError("INVALID_ARGUMENT", "max_entries is below zero");
  const last = token === "" ? "" : readToken(token);
  const left = ids.toSorted().filter((id) => id > last);
  const page = maxEntries === 0 ? left : left.slice(0, maxEntries);
  const nextToken = page.length < left.length ? `${tokenPrefix}${page.at(-1)}` : "";
  return { ids: page, nextToken };
}

const tokenPrefix = "after:";

function readToken(token: string): string {
  if (token.startsWith(tokenPrefix)) return token.slice(tokenPrefix.length);
  throw new CleatError("ABORTED", "starting_token was not made by this plugin: begin the list again without one");
}
