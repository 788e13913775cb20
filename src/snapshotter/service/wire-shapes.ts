import type { infoMessage, mountMessage } from "../../containerd/index.ts";
import { CleatError } from "../../errors/index.ts";
import { fromTimestamp, type MessageIn, type MessageOut, toTimestamp } from "../../grpc/index.ts";
import type { Mount, SnapshotInfo, SnapshotKind } from "../snapshotter.ts";

/** Between the contract's shapes and the wire's, the one place where they meet. */

type WireKind = MessageOut<typeof infoMessage>["kind"];

const wireKinds = { view: "VIEW", active: "ACTIVE", committed: "COMMITTED" } as const satisfies Record<
  SnapshotKind,
  WireKind
>;

/** An unknown kind is a committed one: so reads containerd (v1.6.20 `snapshots/proxy/proxy.go`, toKind). */
const kinds: Readonly<Record<WireKind, SnapshotKind>> = {
  UNKNOWN: "committed",
  VIEW: "view",
  ACTIVE: "active",
  COMMITTED: "committed",
};

export function toWireInfo(info: SnapshotInfo): MessageIn<typeof infoMessage> {
  return {
    name: info.name,
    parent: info.parent ?? "",
    kind: wireKinds[info.kind],
    created_at: toTimestamp(info.createdNs),
    updated_at: toTimestamp(info.updatedNs),
    labels: info.labels,
  };
}

/** @throws DATA_LOSS when there is none: whoever asked would take it for an empty one. */
export function fromWireInfo(info: MessageOut<typeof infoMessage> | undefined): SnapshotInfo {
  if (info === undefined) throw new CleatError("DATA_LOSS", "answer about a snapshot lacks what is known of it");
  return {
    name: info.name,
    kind: kinds[info.kind],
    parent: info.parent === "" ? undefined : info.parent,
    labels: info.labels,
    createdNs: fromTimestamp(info.created_at),
    updatedNs: fromTimestamp(info.updated_at),
  };
}

export function toWireMount({ type, source, target = "", options }: Mount): MessageIn<typeof mountMessage> {
  return { type, source, target, options };
}

export function fromWireMount({ type, source, target, options }: MessageOut<typeof mountMessage>): Mount {
  return { type, source, ...(target !== "" && { target }), options };
}
