import { type MountEntry, mountHolding } from "../../syscall/index.ts";
import type { PublishFlags } from "./publisher.ts";

type Mounts = readonly MountEntry[];

/** What is shown of a file system: a folder of it, whatever path leads there. */
interface Shown {
  readonly device: string;
  readonly folder: string;
  readonly options: ReadonlySet<string>;
}

/** What a path without symlinks leads to, as the kernel's table of mounts says, without touching what is mounted. */
function shownAt(path: string, mounts: Mounts): Shown | undefined {
  const mount = mountHolding(path, mounts);
  return mount === undefined ? undefined : shownBy(mount, path);
}

function shownBy(mount: MountEntry, path: string): Shown {
  const below = mount.mountPoint === "/" ? path : path.slice(mount.mountPoint.length);
  const folder = `${mount.root}/${below}`.replaceAll(/\/+/g, "/").replace(/(.)\/$/, "$1");
  return { device: mount.device, folder, options: new Set(mount.options.split(",")) };
}

const isSame = (one: Shown | undefined, other: Shown | undefined): boolean =>
  one?.device === other?.device && one?.folder === other?.folder;

/** Where else the same folder is mounted. */
export function otherPlacesOf(path: string, mounts: Mounts): string[] {
  const shown = shownAt(path, mounts);
  const points = new Set(mounts.map(({ mountPoint }) => mountPoint));
  points.delete(path);
  return [...points].filter((point) => isSame(shownAt(point, mounts), shown));
}

/** Whether anything is mounted at `target`, also below what is seen there, but what is at `source`. */
export function showsOthers(source: string, target: string, mounts: Mounts): boolean {
  const original = shownAt(source, mounts);
  return mounts.some((mount) => mount.mountPoint === target && !isSame(shownBy(mount, target), original));
}

/** Whether `target` shows what is at `source`, with those flags and what `source` itself is mounted with. */
export function isShownSo(source: string, target: string, flags: PublishFlags, mounts: Mounts): boolean {
  const [original, shown] = [shownAt(source, mounts), shownAt(target, mounts)];
  if (original === undefined || shown === undefined || !isSame(original, shown)) return false;
  return (
    flagsAsNamed(flags).every(([name, isSet]) => shown.options.has(name) === (isSet || original.options.has(name))) &&
    hasAccessTimes(shown, flags.accessTimes)
  );
}

/** Which flags are set, by the names that the kernel and mount(8) have for them. */
export function flagsAsNamed({ readonly, nosuid, nodev, noexec }: PublishFlags): [name: string, isSet: boolean][] {
  return Object.entries({ ro: readonly, nosuid, nodev, noexec });
}

/** The kernel says nothing of times that are strict. */
function hasAccessTimes({ options }: Shown, wanted: PublishFlags["accessTimes"]): boolean {
  if (wanted === undefined) return true;
  return wanted === "strictatime" ? !options.has("noatime") && !options.has("relatime") : options.has(wanted);
}
