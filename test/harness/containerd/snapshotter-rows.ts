import { needs, type Need } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import type { DataFileSystem } from "../namespaces/data-root.ts";
import { type EngineRelease, forky, machine, trixie } from "../namespaces/release.ts";

/** What an engine keeps its snapshots on. */
export interface SnapshotterRow {
  readonly release: EngineRelease;
  /**
   * The driver that Cleat serves; undefined for containerd's own overlayfs, which says nothing about Cleat where it
   * fails.
   */
  readonly driver: string | undefined;
  readonly fileSystem?: DataFileSystem;
  readonly needs: readonly Need[];
}

/** What titles say of a row; `own` is what containerd's own overlayfs is called there. */
export function storageTitle({ driver, fileSystem }: SnapshotterRow, own: string): string {
  return `${driver ?? own}${fileSystem === undefined || fileSystem === driver ? "" : ` on ${fileSystem}`}`;
}

const overlay2 = (release: EngineRelease): SnapshotterRow => ({ release, driver: "overlay2", needs: [] });
const overlay2OnXfs = (release: EngineRelease): SnapshotterRow => ({
  release,
  driver: "overlay2",
  fileSystem: "xfs",
  needs: [needs.loopDevices, needs.xfs],
});
const vfs = (release: EngineRelease): SnapshotterRow => ({ release, driver: "vfs", needs: [] });
const builtin = (release: EngineRelease): SnapshotterRow => ({ release, driver: undefined, needs: [] });
const btrfs = (release: EngineRelease): SnapshotterRow => ({
  release,
  driver: "btrfs",
  fileSystem: "btrfs",
  needs: [needs.loopDevices, needs.btrfs],
});

/** containerd mounts it with a helper of mount(8)'s, which only the machine has installed. */
const fuseOverlayfs: SnapshotterRow = {
  release: machine,
  driver: "fuse-overlayfs",
  needs: [needs.fuseOverlayfs, needs.fuseMount],
};

/** By day overlay2 under the oldest and the newest containerd. */
export const containerdRows: readonly SnapshotterRow[] = byDayOrNight(
  [overlay2(machine), overlay2(forky)],
  [
    overlay2(trixie),
    overlay2OnXfs(forky),
    fuseOverlayfs,
    ...[machine, trixie, forky].flatMap((release) => [builtin(release), btrfs(release), vfs(release)]),
  ],
);

/** Docker 28, whose images are in containerd. */
export const dockerRows: readonly SnapshotterRow[] = byDayOrNight(
  [overlay2(forky)],
  [builtin(forky), overlay2OnXfs(forky), btrfs(forky), vfs(forky)],
);

/** Kubernetes' side of containerd. It calls no snapshotter otherwise than `ctr` does, and so has the night alone. */
export const criRows: readonly SnapshotterRow[] = byDayOrNight(
  [],
  [
    ...[machine, trixie, forky].flatMap((release) => [builtin(release), overlay2(release)]),
    ...[machine, forky].flatMap((release) => [btrfs(release), vfs(release)]),
  ],
);
