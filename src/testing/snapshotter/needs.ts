import type { SnapshotterContext } from "./context.ts";

/** Why a check means nothing for a subject. */

export function needsMounts({ abilities }: SnapshotterContext): string | undefined {
  return abilities.mounts ? undefined : "the snapshotter's mounts cannot be performed here";
}

export function needsRebase({ abilities }: SnapshotterContext): string | undefined {
  return abilities.rebase ? undefined : "the snapshotter gives no parent when it commits";
}

export function needsReopen({ abilities }: SnapshotterContext): string | undefined {
  return abilities.reopens ? undefined : "the snapshotter cannot be closed and opened again";
}
