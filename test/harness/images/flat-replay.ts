import { mkdir } from "node:fs/promises";
import type { Namespace } from "../namespaces/namespace.ts";
import { dataFolder } from "./base-image.ts";
import { listTree, type Fidelity } from "./tree-listing.ts";

/**
 * The oracle for what containers and images hold: unpacks the base archive with GNU tar into a plain folder, runs the
 * scripts in there one after another, and lists the data folder.
 */
export async function replayFlat(
  { folder, run }: Namespace,
  archive: string,
  scripts: readonly string[],
  fidelity?: Fidelity,
): Promise<readonly string[]> {
  const flat = `${folder}/flat-${crypto.randomUUID()}`;
  await mkdir(flat);
  await run(["tar", "--extract", `--file=${archive}`, `--directory=${flat}`, "--xattrs", "--xattrs-include=*", "-p"]);
  for (const script of scripts) await run(["chroot", flat, "/bin/sh", "-c", script]);
  return listTree(run, flat + dataFolder, fidelity);
}
