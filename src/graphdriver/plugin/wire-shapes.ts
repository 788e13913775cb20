/** The places where the contract's shapes and those of Docker's protocol differ, both ways. */
import { isUtf8 } from "node:buffer";
import type { Change, ChangeKind, DriverCapabilities } from "../driver.ts";
import type { IdMapping } from "../driver-factory.ts";

/** Source: moby v20.10.24 `pkg/archive/changes.go`, `ChangeModify`, `ChangeAdd`, `ChangeDelete`. */
const wireKinds = { modified: 0, added: 1, deleted: 2 } as const satisfies Record<ChangeKind, number>;

type WireKind = (typeof wireKinds)[ChangeKind];

interface WireChange {
  Path: string;
  Kind: WireKind;
  PathBytes?: Buffer | undefined;
}

/** A name that is not UTF-8 is shown with U+FFFD, as Go would, and sent as bytes besides. */
function toWireChange({ path, kind }: Change): WireChange {
  const shown = { Path: path.toString(), Kind: wireKinds[kind] };
  return isUtf8(path) ? shown : { ...shown, PathBytes: path };
}

/** Each is made when it is asked for. */
export function* toWireChanges(changes: Iterable<Change>): Generator<WireChange> {
  for (const change of changes) yield toWireChange(change);
}

export function fromWireChange({ Path, Kind, PathBytes }: WireChange): Change {
  const kinds: Record<WireKind, ChangeKind> = { 0: "modified", 1: "added", 2: "deleted" };
  return { path: PathBytes ?? Buffer.from(Path), kind: kinds[Kind] };
}

/** `MaxDepth` of a driver without a limit; JSON has no infinity. */
const unlimited = -1;

interface WireCapabilities {
  ReproducesExactDiffs: boolean;
  Mounts?: boolean | undefined;
  EnforcesSize?: boolean | undefined;
  MaxDepth?: number | undefined;
}

export function toWireCapabilities(capabilities: DriverCapabilities): WireCapabilities {
  return {
    ReproducesExactDiffs: capabilities.reproducesExactDiffs,
    Mounts: capabilities.mounts,
    EnforcesSize: capabilities.enforcesSize,
    MaxDepth: Number.isFinite(capabilities.maxDepth) ? capabilities.maxDepth : unlimited,
  };
}

/** What a plugin does not say is taken to be what a caller can rely on least. 125: Docker's own limit (moby v20.10.24
 * `layer/layer_store.go`, `maxLayerDepth`). */
export function fromWireCapabilities(wire: WireCapabilities): DriverCapabilities {
  return {
    reproducesExactDiffs: wire.ReproducesExactDiffs,
    mounts: wire.Mounts ?? true,
    enforcesSize: wire.EnforcesSize ?? false,
    protectsParents: false,
    maxDepth: wire.MaxDepth === unlimited ? Number.POSITIVE_INFINITY : (wire.MaxDepth ?? 125),
  };
}

interface WireIdMap {
  container_id: number;
  host_id: number;
  size: number;
}

export function toWireIdMap({ containerId, hostId, size }: IdMapping): WireIdMap {
  return { container_id: containerId, host_id: hostId, size };
}

export function fromWireIdMap(wire: WireIdMap): IdMapping {
  return { containerId: wire.container_id, hostId: wire.host_id, size: wire.size };
}
