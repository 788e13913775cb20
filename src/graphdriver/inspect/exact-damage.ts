import { dataFile, recordFile } from "../diff/exact-diff.ts";
import { type Damage, unmendable } from "../finding.ts";
import { kindOf, readJsonAt, withPathIfThere } from "./store-entries.ts";

/**
 * What is wrong with the record of a layer's archive (`../diff/exact-diff.ts`) in `folder`, relative to the home.
 * Nothing is mended: without the record the layer's archive is made anew, and another than the one that came.
 */
export function findExactDamage(home: number, folder: string, layer: string): Damage[] {
  const path = `${folder}/${recordFile}`;
  const kinds = withPathIfThere(home, folder, (opened) => [kindOf(opened, recordFile), kindOf(opened, dataFile)]);
  const [record, data] = kinds ?? [];
  if (record === undefined) return [];
  const version = readJsonAt(home, path)?.["version"];
  if (version === 1 && data === "file") return [];
  if (version === undefined || version === 1) {
    const what = version === 1 ? "lost what was kept" : "a damaged record";
    const problem = `layer "${layer}" has ${what} of its archive`;
    return [
      unmendable({ kind: "record-damaged", path, problem, layer }, "the layer's archive would become another one"),
    ];
  }
  const problem = `layer "${layer}" has a record of its archive of version ${JSON.stringify(version)}, not 1`;
  return [unmendable({ kind: "record-other-version", path, problem, layer }, "a later Cleat may have written it")];
}
