import { quoteText, type SchemaIssue } from "../errors/index.ts";
import type { Logger } from "../transport/index.ts";
import { issuesIn, type WireVolume } from "./wire-shapes.ts";

/**
 * The volumes of a list that a caller can name in a further call: the others are left out, with one warning for all of
 * them, so that one of them does not hide the rest. Of two with one name the first stays. `origin` says whose list it
 * is.
 */
export function usableVolumes(volumes: readonly WireVolume[], origin: object, logger: Logger): WireVolume[] {
  const usable = new Map<string, WireVolume>();
  const reasons: string[] = [];
  for (const volume of volumes) {
    const [issue] = usable.has(volume.Name) ? [listedTwice(volume)] : issuesIn(volume);
    if (issue === undefined) usable.set(volume.Name, volume);
    else reasons.push(`${issue.path}: ${issue.problem}`);
  }
  if (reasons.length > 0) {
    logger.warn({ ...origin, leftOut: reasons.length, reason: reasons[0] }, "volumes are left out of the list");
  }
  return [...usable.values()];
}

function listedTwice({ Name }: WireVolume): SchemaIssue {
  return { path: "Name", problem: `${quoteText(Name)} is listed twice` };
}
