import {
  MOUNT_ATTR_ATIME,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME,
} from "../../syscall/index.ts";

/** What an option of a mount sets and clears of its attributes; the rest are the file system's. Source: mount(8). */
const attributesOf: Readonly<Record<string, readonly [set: number, clear: number]>> = {
  ro: [MOUNT_ATTR_RDONLY, 0],
  rw: [0, MOUNT_ATTR_RDONLY],
  nosuid: [MOUNT_ATTR_NOSUID, 0],
  suid: [0, MOUNT_ATTR_NOSUID],
  nodev: [MOUNT_ATTR_NODEV, 0],
  dev: [0, MOUNT_ATTR_NODEV],
  noexec: [MOUNT_ATTR_NOEXEC, 0],
  exec: [0, MOUNT_ATTR_NOEXEC],
  noatime: [MOUNT_ATTR_NOATIME, MOUNT_ATTR_ATIME],
  relatime: [0, MOUNT_ATTR_ATIME],
  strictatime: [MOUNT_ATTR_STRICTATIME, MOUNT_ATTR_ATIME],
  nodiratime: [MOUNT_ATTR_NODIRATIME, 0],
  diratime: [0, MOUNT_ATTR_NODIRATIME],
};

/** Of no meaning to a kernel. Source: mount(8), "FILESYSTEM-INDEPENDENT MOUNT OPTIONS". */
const ignored: ReadonlySet<string> = new Set(["defaults", "_netdev", "nofail", "auto", "noauto", "user", "nouser"]);

export interface SortedOptions {
  readonly set: number;
  readonly clear: number;
  readonly bind: boolean;
  readonly recursive: boolean;
  /** What a file system is told, `ro` among it. */
  readonly own: readonly string[];
}

/** Options of a mount, one each, by whose they are; of those that contradict each other the last counts. */
export function sortOptions(options: readonly string[]): SortedOptions {
  let [set, clear] = [0, 0];
  const own: string[] = [];
  for (const option of options) {
    const known = Object.hasOwn(attributesOf, option) ? attributesOf[option] : undefined;
    if (known !== undefined) {
      set = (set & ~known[1]) | known[0];
      clear = (clear & ~known[0]) | known[1];
    } else if (!ignored.has(option) && option !== "bind" && option !== "rbind") own.push(option);
  }
  if ((set & MOUNT_ATTR_RDONLY) !== 0) own.push("ro");
  const recursive = options.includes("rbind");
  return { set, clear, bind: recursive || options.includes("bind"), recursive, own };
}
