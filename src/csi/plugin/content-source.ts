import { CleatError } from "../../errors/index.ts";
import type { MessageOut } from "../../grpc/index.ts";
import type { Volume } from "../../volume/index.ts";
import type { contentSourceMessage } from "../services/shared-messages.ts";
import type { CsiContext } from "./context.ts";
import { findVolume } from "./find-volume.ts";
import { shownOption } from "./shown-options.ts";
import { findSnapshot } from "./snapshots.ts";
import { isSnapshotId } from "./volume-id.ts";

export type ContentSource = MessageOut<typeof contentSourceMessage>;

/**
 * The volume that a new one is made from, by its name for the driver.
 * @throws INVALID_ARGUMENT where it cannot be, NOT_FOUND for a snapshot's id as a volume's or the other way round.
 */
export function nameOfSource(source: ContentSource | undefined, context: CsiContext): string | undefined {
  if (source === undefined) return undefined;
  const id = source.snapshot?.snapshot_id ?? source.volume?.volume_id ?? "";
  if (id === "") throw new CleatError("INVALID_ARGUMENT", "volume_content_source names no source");
  if (context.sourceOption === undefined) {
    throw new CleatError("INVALID_ARGUMENT", `volumes of "${context.driver.name}" are not made from others`);
  }
  const kind = source.snapshot === undefined ? "volume" : "snapshot";
  if (isSnapshotId(id) === (kind === "snapshot")) return id;
  throw new CleatError("NOT_FOUND", `no ${kind} has such an id`);
}

/** @throws NOT_FOUND when there is no such source, a snapshot or a volume as it says. */
export async function findSource(source: ContentSource, context: CsiContext, signal: AbortSignal): Promise<Volume> {
  const { snapshot, volume } = source;
  if (snapshot !== undefined) return findSnapshot(snapshot.snapshot_id, context, signal);
  return findVolume(volume?.volume_id ?? "", context, signal);
}

/** What a volume was made from, where the driver shows it. */
export function sourceOf(volume: Volume, { sourceOption }: CsiContext): ContentSource | undefined {
  const id = shownOption(volume, sourceOption);
  if (id === undefined) return undefined;
  return isSnapshotId(id)
    ? { snapshot: { snapshot_id: id }, volume: undefined }
    : { snapshot: undefined, volume: { volume_id: id } };
}
