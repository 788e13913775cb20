import type { SnapshotterAbilities } from "cleat/testing";

import { type Need, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import type { LoopFileSystem } from "../graphdriver/private-mounts.ts";

/** A driver, on a file system, behind a door: what the kit for snapshotters is run on. */
export interface Subject {
  readonly title: string;
  readonly needs: readonly Need[];
  readonly driver: "overlay2" | "fuse-overlayfs" | "btrfs" | "vfs" | "overlayfs";
  readonly opener: "inProcess" | "served" | "containerds";
  /** In memory, so that what is made durable costs nothing; the drivers' own file systems else. */
  readonly fileSystem: LoopFileSystem;
  readonly abilities: Partial<SnapshotterAbilities>;
  readonly expectedFailures?: Readonly<Record<string, string>>;
}

const onExt4 = { fileSystem: "ext4", needs: [needs.root, needs.loopDevices, needs.ext4] } as const;
const onXfs = { fileSystem: "xfs", needs: [needs.root, needs.loopDevices, needs.xfs] } as const;

const overlay2 = { ...onExt4, driver: "overlay2", abilities: { mounts: true, rebase: true } } as const;
const fuseOverlayfs = {
  ...onExt4,
  driver: "fuse-overlayfs",
  needs: [...onExt4.needs, needs.fuseOverlayfs],
  abilities: { mounts: true, rebase: true },
  expectedFailures: {
    "stack/attributes": "fuse-overlayfs 1.10 takes the setgid bit from a folder whose owner is changed",
  },
} as const;
const btrfs = {
  fileSystem: "btrfs",
  driver: "btrfs",
  needs: [needs.root, needs.loopDevices, needs.btrfs],
  abilities: { mounts: true },
} as const;
const vfs = { ...onExt4, driver: "vfs", abilities: { mounts: true, copies: true } } as const;

/** containerd's own, which proves that the kit asks for nothing that only ours do. */
const control: Subject = {
  ...onExt4,
  title: "containerd's own overlayfs",
  needs: [...onExt4.needs, needs.containerd],
  driver: "overlayfs",
  opener: "containerds",
  abilities: { mounts: true, adopts: false },
  expectedFailures: {
    "life/cleanup": "containerd 1.6.20 hands no Cleanup through its socket",
    "files/removed-while-mounted": "containerd 1.6.20 hands no Cleanup through its socket",
    "commit/same-parent": "containerd 1.6.20 does not know a commit's parent, which came with 2.2",
    "commit/no-rebase": "containerd 1.6.20 does not know a commit's parent, which came with 2.2",
    "name/none": "containerd 1.6.20 answers UNKNOWN to an empty key",
    "list/malformed": "containerd 1.6.20 answers UNKNOWN to a malformed filter",
    "list/long-labels": "containerd 1.6.20 puts a hundred snapshots into one message, whatever its length",
  },
};

type Kind = Omit<Subject, "title" | "opener">;

const inProcess = (kind: Kind): Subject => ({
  ...kind,
  opener: "inProcess",
  title: `${kind.driver} on ${kind.fileSystem}, in process`,
});
const served = (kind: Kind): Subject => ({
  ...kind,
  opener: "served",
  title: `${kind.driver} on ${kind.fileSystem}, served`,
});

/**
 * By day the driver that most will have, through the door that everybody uses and behind which the other one is;
 * whoever changes another runs it by name, as at night.
 */
export const subjects: readonly Subject[] = byDayOrNight(
  [served(overlay2)],
  [
    control,
    inProcess(overlay2),
    ...[btrfs, vfs, fuseOverlayfs].flatMap((kind) => [inProcess(kind), served(kind)]),
    ...[overlay2, vfs].map((kind) => inProcess({ ...kind, ...onXfs })),
  ],
);
