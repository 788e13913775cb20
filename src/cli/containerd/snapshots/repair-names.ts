import { CleatError, toCleatError } from "../../../errors/index.ts";
import type { Snapshotter } from "../../../snapshotter/index.ts";
import { isNameTaken, type SurveyedSnapshot } from "./survey.ts";

export interface RepairedName {
  readonly snapshot: SurveyedSnapshot;
  /** Why it could not be removed; nothing where it was. */
  readonly obstacle: string | undefined;
}

/**
 * Removes names of containerd's behind which there is nothing, children first: they do not tell of whom they are
 * children, so that all are tried until nothing more goes. A name that has got a snapshot meanwhile is left alone.
 */
export async function removeBrokenNames(
  broken: readonly SurveyedSnapshot[],
  snapshotsOf: (namespace: string) => Snapshotter,
): Promise<RepairedName[]> {
  const done: RepairedName[] = [];
  let left = [...broken];
  for (let hasProgress = true; hasProgress && left.length > 0;) {
    const tried: RepairedName[] = [];
    for (const snapshot of left) tried.push(await removeName(snapshot, snapshotsOf(snapshot.namespace)));
    const removed = tried.filter(({ obstacle }) => obstacle === undefined);
    done.push(...removed);
    hasProgress = removed.length > 0;
    left = tried.filter(({ obstacle }) => obstacle !== undefined).map(({ snapshot }) => snapshot);
    if (!hasProgress) done.push(...tried);
  }
  return done;
}

async function removeName(snapshot: SurveyedSnapshot, snapshots: Snapshotter): Promise<RepairedName> {
  const { name } = snapshot;
  try {
    if (await isThere(snapshots, name)) return { snapshot, obstacle: "it has a snapshot again" };
    await snapshots.remove(name);
    return { snapshot, obstacle: undefined };
  } catch (error) {
    const { code, message } = toCleatError(error);
    if (code === "NOT_FOUND" && !(await isNameTaken(snapshots, name))) return { snapshot, obstacle: undefined };
    return { snapshot, obstacle: message };
  }
}

async function isThere(snapshots: Snapshotter, name: string): Promise<boolean> {
  try {
    await snapshots.stat(name);
    return true;
  } catch (error) {
    if (error instanceof CleatError && error.code === "NOT_FOUND") return false;
    throw error;
  }
}
