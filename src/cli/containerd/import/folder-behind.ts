import type { Containerd } from "../../../containerd/index.ts";

export type Mounts = Awaited<ReturnType<Containerd["services"]["snapshots"]["prepare"]>>["mounts"];

/**
 * The folder that is written to where the mounts of a snapshot are: the upper one of an overlay, or the one that is
 * bound. Nothing for others, such as those of a device.
 */
export function folderBehind(mounts: Mounts): string | undefined {
  const [mount, ...more] = mounts;
  if (mount === undefined || more.length > 0) return undefined;
  const folder = mount.options.find((option) => option.startsWith(upper))?.slice(upper.length);
  return folder ?? (mount.type === "bind" ? mount.source : undefined);
}

const upper = "upperdir=";
