import { CleatError } from "../../errors/index.ts";
import type { IdRemap } from "../snapshot-storage.ts";

/**
 * As mount options. containerd itself maps the ids of a mount that has them, from v1.7 on: `mount/mount_linux.go`. It
 * maps a bind as a whole, and of an overlay what lies below, so that there the upper folder holds the host's ids.
 * @throws INVALID_ARGUMENT as `rootOf`.
 */
export function toMountOptions(remap: IdRemap): readonly string[] {
  rootOf(remap);
  return [`uidmap=${remap.uids}`, `gidmap=${remap.gids}`];
}

/**
 * The host's ids of a container's root.
 * @throws INVALID_ARGUMENT for maps that are malformed, or have no root.
 */
export function rootOf({ uids, gids }: IdRemap): { readonly uid: number; readonly gid: number } {
  return { uid: hostRootOf(uids, "uidmapping"), gid: hostRootOf(gids, "gidmapping") };
}

/**
 * The last is none, which stands for "as it is" in chown(2). Source: Linux v6.1 `kernel/user_namespace.c` `map_write`.
 */
const idCount = 2 ** 32 - 1;

/** Source: containerd v2.1.9 `internal/userns/idmap.go`, `deserializeLinuxIDMapping`. */
function hostRootOf(map: string, label: string): number {
  const ranges = map.split(",").map((range) => parseRange(range) ?? refuse(label, map, malformed));
  return ranges.find(({ containerId }) => containerId === 0)?.hostId ?? refuse(label, map, "maps no root");
}

const malformed = `is not of the form CONTAINER:HOST:SIZE, with ids below ${idCount}`;

function parseRange(range: string): { readonly containerId: number; readonly hostId: number } | undefined {
  const parts = /^(\d{1,10}):(\d{1,10}):(\d{1,10})$/.exec(range)?.slice(1).map(Number);
  const [containerId, hostId, size] = parts ?? [];
  if (containerId === undefined || hostId === undefined || size === undefined) return undefined;
  const isRange = size > 0 && Math.max(containerId, hostId) + size <= idCount;
  return isRange ? { containerId, hostId } : undefined;
}

function refuse(label: string, map: string, problem: string): never {
  const shown = JSON.stringify(map.slice(0, 80));
  throw new CleatError("INVALID_ARGUMENT", `label "containerd.io/snapshot/${label}" ${shown} ${problem}`);
}
