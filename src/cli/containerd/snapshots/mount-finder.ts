import { dirname } from "node:path";
import type { Mount, SnapshotKind, Snapshotter } from "../../../snapshotter/index.ts";
import { type MountEntry, readMounts } from "../../../syscall/index.ts";
import { isOfOneSnapshot } from "./of-one-snapshot.ts";

export interface MountableSnapshot {
  readonly kind: SnapshotKind | undefined;
  /** Without it, nobody can be asked. */
  readonly backendName: string | undefined;
}

/** Where a snapshot is mounted; `undefined` for one that is gone meanwhile, or whose files cannot be looked at now. */
export type MountPoints = readonly string[] | undefined;

/** A call waits for its answer, and the answer for its turn: both ends have something to do with so many. */
const callsAtOnce = 16;

/**
 * Where each of these is mounted, as far as this process sees it; of views of several layers that is not told. Asks of
 * all but committed ones how they are mounted.
 */
export async function findMountPoints(
  backend: Pick<Snapshotter, "mounts">,
  snapshots: readonly MountableSnapshot[],
): Promise<MountPoints[]> {
  const findMounts = createMountFinder(backend, readMounts());
  const points = Array.from<MountPoints>({ length: snapshots.length });
  const left = snapshots.entries();
  const findSome = async () => {
    for (const [at, snapshot] of left) points[at] = await findMounts(snapshot);
  };
  await Promise.all(Array.from({ length: callsAtOnce }, findSome));
  return points;
}

function createMountFinder(backend: Pick<Snapshotter, "mounts">, mounts: readonly MountEntry[]) {
  const byUpper = new Map<string, string[]>();
  const byRoot = new Map<string, string[]>();
  for (const { fileSystemType, superOptions, mountPoint, device, root } of mounts) {
    add(byRoot, `${device} ${root}`, mountPoint);
    const upper = fileSystemType === "overlay" ? /(?:^|,)upperdir=([^,]*)/.exec(superOptions)?.[1] : undefined;
    if (upper !== undefined) add(byUpper, upper, mountPoint);
  }
  /** Of several on one place, the last hides the others. */
  const byPoint = new Map(mounts.map((one) => [one.mountPoint, one]));
  const holding = (path: string): MountEntry | undefined =>
    byPoint.get(path) ?? (path === dirname(path) ? undefined : holding(dirname(path)));
  const boundFrom = (source: string): readonly string[] => {
    const held = holding(source);
    if (held === undefined) return [];
    const below = source.slice(held.mountPoint === "/" ? 0 : held.mountPoint.length);
    return byRoot.get(`${held.device} ${held.root === "/" ? below : `${held.root}${below}`}`) ?? [];
  };
  const mountsOf = async (name: string): Promise<readonly Mount[]> => {
    try {
      return await backend.mounts(name);
    } catch (error) {
      if (isOfOneSnapshot(error)) return [];
      throw error;
    }
  };
  return async ({ backendName, kind }: MountableSnapshot): Promise<MountPoints> => {
    if (kind === "committed" || backendName === undefined) return [];
    const [mount] = await mountsOf(backendName);
    if (mount === undefined) return undefined;
    if (mount.type === "bind") return boundFrom(mount.source);
    const upper = mount.options.find((option) => option.startsWith("upperdir="))?.slice("upperdir=".length);
    return upper === undefined ? [] : (byUpper.get(upper) ?? []);
  };
}

function add(map: Map<string, string[]>, key: string, value: string): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
