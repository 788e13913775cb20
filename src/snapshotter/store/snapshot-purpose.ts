import type { PlaceUse } from "../snapshot-storage.ts";
import type { Labels, SnapshotKind } from "../snapshotter.ts";

/** What containerd's labels say. Source: containerd v2.4.0-beta.0 `core/snapshots/snapshotter.go`. */
const refLabel = "containerd.io/snapshot.ref";
const uidsLabel = "containerd.io/snapshot/uidmapping";
const gidsLabel = "containerd.io/snapshot/gidmapping";
const maxSizeLabel = "containerd.io/snapshot/max-size";

interface Described {
  readonly name: string;
  readonly kind: SnapshotKind;
  readonly labels: Labels;
}

/** What a snapshot's place is to be used for, as its key and labels tell. */
export function useOf({ name, kind, labels }: Described): PlaceUse {
  const { [uidsLabel]: uids, [gidsLabel]: gids } = labels;
  return {
    isReadOnly: kind === "view",
    isUnpacked: kind === "active" && isUnpackKey(name) && layerNamedBy(labels) !== undefined,
    remap: uids === undefined && gids === undefined ? undefined : { uids: uids ?? "", gids: gids ?? "" },
  };
}

/** The name that a layer is to have once it is committed, whoever unpacks it, in whatever namespace: its chain id. */
export function layerNamedBy(labels: Labels): string | undefined {
  return labels[refLabel];
}

/** A hint of the engine's; one that is no number is none. */
export function maxSizeOf({ [maxSizeLabel]: text = "" }: Labels): number | undefined {
  const bytes = Number(text);
  return /^[1-9]\d*$/.test(text) && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/**
 * Whether an engine asks for a snapshot to unpack a layer into: it names the key "extract-…", before which containerd
 * puts its namespace and a number. Source: containerd v1.6.20 `unpacker.go`, `snapshots/snapshotter.go`
 * `UnpackKeyFormat`; `metadata/snapshot.go` `createKey`.
 */
export function isUnpackKey(key: string): boolean {
  return key.split("/", 3)[2]?.startsWith("extract-") === true;
}
