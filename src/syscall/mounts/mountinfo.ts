import { readFileSync } from "node:fs";

export interface MountEntry {
  readonly mountPoint: string;
  readonly fileSystemType: string;
  /** "8:1", the file system's, also where stat(2) tells another one: on btrfs and overlays. */
  readonly device: string;
  /** The folder of the file system that is mounted. */
  readonly root: string;
  /**
   * Who sees what is mounted here, and whose mounts are seen here: "shared:12", "master:1". Source:
   * mount_namespaces(7).
   */
  readonly propagation: readonly string[];
  /** Of this mount alone: "rw,nosuid,relatime". */
  readonly options: string;
  /** Of the file system: "rw,lowerdir=…,upperdir=…". */
  readonly superOptions: string;
}

/** The mounts that this process sees, in the order they were made. Source: proc(5), `/proc/pid/mountinfo`. */
export function readMounts(): MountEntry[] {
  return parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8"));
}

export function parseMountInfo(text: string): MountEntry[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const fields = line.split(" ");
      const separator = fields.indexOf("-", 6);
      return {
        mountPoint: unescapeOctal(fields[4] ?? ""),
        fileSystemType: fields[separator + 1] ?? "",
        device: fields[2] ?? "",
        root: unescapeOctal(fields[3] ?? ""),
        propagation: fields.slice(6, separator),
        options: fields[5] ?? "",
        superOptions: unescapeOctal(fields[separator + 3] ?? ""),
      };
    });
}

/** The kernel writes space, tab, newline and backslash as `\040`. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/**
 * The mount that holds a path with no symlinks in it; of several at one place the last, which hides the others. Its
 * type tells what a magic number does not: "ext4", "fuse.fuse-overlayfs".
 */
export function mountHolding<Mount extends Pick<MountEntry, "mountPoint">>(
  path: string,
  mounts: readonly Mount[],
): Mount | undefined {
  return mounts
    .filter(({ mountPoint }) => `${path}/`.startsWith(mountPoint === "/" ? "/" : `${mountPoint}/`))
    .reduce<Mount | undefined>(
      (best, mount) => (mount.mountPoint.length >= (best?.mountPoint.length ?? 0) ? mount : best),
      undefined,
    );
}
