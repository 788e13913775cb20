/** What the field's drivers are known by, those that Cleat does not have included. */

/**
 * Which driver is taken first where nothing decides. Source: moby v28.0.0 `daemon/graphdriver/driver_linux.go`
 * `priority` (v20.10.24 has btrfs and zfs first, which come first there only on their own file systems anyway).
 */
export const priority = ["overlay2", "fuse-overlayfs", "btrfs", "zfs", "vfs"] as const;

/** On these file systems their own driver comes first: snapshots there cost nothing, and a container needs no mount. */
export const nativeDrivers: Readonly<Record<string, string>> = { btrfs: "btrfs", zfs: "zfs" };

/**
 * Drivers that Docker has or had, whose folders are told from nothing: layers must not disappear because nobody here
 * can read them. Source: moby v17.05 to v20.10.24 `daemon/graphdriver/register`.
 */
export const dockerDrivers = ["aufs", "btrfs", "devicemapper", "fuse-overlayfs", "overlay", "overlay2", "vfs", "zfs"];

/**
 * The folder by which a home of Docker's own tells whose it is: fuse-overlayfs has the layout of overlay2, overlay none
 * of its own. In the order in which to look: overlay2's layers lie beside its marker, and may be called as another's
 * is. Source: the drivers of moby v20.10.24.
 */
export const markers: Readonly<Record<string, string>> = {
  l: "overlay2",
  subvolumes: "btrfs",
  dir: "vfs",
  graph: "zfs",
  devicemapper: "devicemapper",
  mnt: "aufs",
};
