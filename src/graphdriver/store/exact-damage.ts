import { type Damage, unmendable } from "./finding.ts";
import { readJsonAt, readRecordAt } from "./store-entries.ts";

/**
 * What is wrong with the record of a layer's archive (`../diff/exact-diff.ts`) in `folder`, relative to the home. Nothing is mended:
 * without the record the layer's archive is made anew, and another than the one that came.
 */
export function findExactDamage(home: number, folder: string, layer: string): Damage[] {
  const path = `${folder}/record.json`;
  const text = readRecordAt(home, path);
  const version = readJsonAt(home, path)?.["version"];
  if (text === undefined || version === 1) return [];
  if (version === undefined) {
    const problem = `layer "${layer}" has a damaged record of its archive`;
    return [
      unmendable({ kind: "record-damaged", path, problem, layer }, "the layer's archive would become another one"),
    ];
  }
  const problem = `layer "${layer}" has a record of its archive of version ${JSON.stringify(version)}, not 1`;
  return [unmendable({ kind: "record-other-version", path, problem, layer }, "a later Cleat may have written it")];
}
