import type { Mount, SnapshotKind, Snapshotter } from "../../../snapshotter/index.ts";
import { mountHolding, readMounts } from "../../../syscall/index.ts";
import { isOfOneSnapshot } from "./of-one-snapshot.ts";

/**
 * Tells where a snapshot is mounted, as far as this process sees it; of views of several layers that is not told.
 * `undefined` for one that is gone meanwhile, or whose files cannot be looked at now.
 */
export function createMountFinder(backend: Pick<Snapshotter, "mounts">) {
  const mounts = readMounts();
  const pointsByUpper = new Map<string, string[]>();
  for (const { fileSystemType, superOptions, mountPoint } of mounts) {
    const upper = fileSystemType === "overlay" ? /(?:^|,)upperdir=([^,]*)/.exec(superOptions)?.[1] : undefined;
    if (upper !== undefined) pointsByUpper.set(upper, [...(pointsByUpper.get(upper) ?? []), mountPoint]);
  }
  const boundFrom = (source: string): string[] => {
    const holding = mountHolding(source, mounts);
    if (holding === undefined) return [];
    const below = source.slice(holding.mountPoint === "/" ? 0 : holding.mountPoint.length);
    const root = holding.root === "/" ? below : `${holding.root}${below}`;
    return mounts.filter((one) => one.device === holding.device && one.root === root).map((one) => one.mountPoint);
  };
  const mountsOf = async (name: string): Promise<readonly Mount[]> => {
    try {
      return await backend.mounts(name);
    } catch (error) {
      if (isOfOneSnapshot(error)) return [];
      throw error;
    }
  };
  return async ({ name, kind }: { readonly name: string; readonly kind: SnapshotKind }) => {
    if (kind === "committed") return [];
    const [mount] = await mountsOf(name);
    if (mount === undefined) return undefined;
    if (mount.type === "bind") return boundFrom(mount.source);
    const upper = mount.options.find((option) => option.startsWith("upperdir="))?.slice("upperdir=".length);
    return upper === undefined ? [] : (pointsByUpper.get(upper) ?? []);
  };
}
