import { CleatError } from "../../errors/index.ts";
import type { IdRemap } from "../snapshot-storage.ts";

/** As mount options. containerd itself maps the ids of a mount that has them, from v1.7 on: `mount/mount_linux.go`. */
export function toMountOptions({ uids, gids }: IdRemap): readonly string[] {
  return [`uidmap=${uids}`, `gidmap=${gids}`];
}

/**
 * The host's ids of a container's root.
 * @throws INVALID_ARGUMENT for maps that are malformed, or have no root.
 */
export function rootOf({ uids, gids }: IdRemap): { readonly uid: number; readonly gid: number } {
  return { uid: hostRootOf(uids, "uidmapping"), gid: hostRootOf(gids, "gidmapping") };
}

/** Source: containerd v2.1.9 `internal/userns/idmap.go`, `deserializeLinuxIDMapping`. */
function hostRootOf(map: string, label: string): number {
  for (const range of map.split(",")) {
    const parts = /^(\d{1,10}):(\d{1,10}):(\d{1,10})$/.exec(range);
    const [containerId, hostId, size] = (parts ?? []).slice(1).map(Number);
    const isRange = hostId !== undefined && size !== undefined && size > 0 && hostId + size <= 2 ** 32;
    if (!isRange) throw malformed(label, map, "is not of the form CONTAINER:HOST:SIZE");
    if (containerId === 0) return hostId;
  }
  throw malformed(label, map, "maps no root");
}

function malformed(label: string, map: string, problem: string): CleatError {
  const shown = JSON.stringify(map.slice(0, 80));
  return new CleatError("INVALID_ARGUMENT", `label "containerd.io/snapshot/${label}" ${shown} ${problem}`);
}
