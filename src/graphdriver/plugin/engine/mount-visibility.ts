import { type MountEntry, mountHolding, parseMountInfo } from "../../../syscall/index.ts";

/** `unknown` where only a third process's mounts would tell. */
export type Visibility = "seen" | "hidden" | "unknown";

/**
 * Whether what one process mounts below `home`, a path without symlinks, is seen there by another one, from the
 * `/proc/PID/mountinfo` of both. It is where both have the same folder there, and the other's mount is in the peer
 * group of the first's or follows it, if only by way of others. Source: mount_namespaces(7).
 */
export function visibilityOfMounts(home: string, mountInfo: string, othersMountInfo: string): Visibility {
  const ours = parseMountInfo(mountInfo);
  const theirs = parseMountInfo(othersMountInfo);
  const [from, to] = [mountHolding(home, ours), mountHolding(home, theirs)];
  if (from === undefined || to === undefined) return "unknown";
  if (from.device !== to.device || folderIn(from, home) !== folderIn(to, home)) return "hidden";
  const group = groupOf(from, "shared");
  if (group === undefined) return "hidden";
  if (group === groupOf(to, "shared")) return "seen";

  const mounts = [...ours, ...theirs];
  const { groups, isComplete } = groupsAbove(to, mounts);
  if (groups.has(group)) return "seen";
  // Groups form a tree: who follows a group that ours follows itself, does not follow ours.
  const aboveOurs = groupsAbove(from, mounts).groups;
  return isComplete || [...groups].some((above) => aboveOurs.has(above)) ? "hidden" : "unknown";
}

/** The folder of the file system that stands at a path. */
function folderIn({ mountPoint, root }: MountEntry, path: string): string {
  const below = path.slice(mountPoint === "/" ? 0 : mountPoint.length);
  return `${root === "/" ? "" : root}${below}`.replace(/\/$/, "") || "/";
}

type Tag = "shared" | "master" | "propagate_from";

function groupOf({ propagation }: MountEntry, tag: Tag): string | undefined {
  return propagation.find((text) => text.startsWith(`${tag}:`))?.slice(tag.length + 1);
}

/**
 * The groups that a mount follows, as far as these mounts tell; complete when the last of them is known to follow none.
 */
function groupsAbove(mount: MountEntry, mounts: readonly MountEntry[]) {
  const groups = new Set<string>();
  let at: MountEntry | undefined = mount;
  while (at !== undefined) {
    const above: string | undefined = groupOf(at, "master");
    if (above === undefined) return { groups, isComplete: true };
    if (groups.has(above)) break;
    groups.add(above);
    const further = groupOf(at, "propagate_from");
    if (further !== undefined) groups.add(further);
    at = mounts.find((other) => groupOf(other, "shared") === (further ?? above));
  }
  return { groups, isComplete: false };
}
