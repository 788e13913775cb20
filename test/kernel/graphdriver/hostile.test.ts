/**
 * What the drivers make of a hostile machine: full disks, attributes that the file system refuses, homes that are none,
 * and `kill -9`. Each scenario runs in a process and a mount namespace of its own, on the built package.
 */
import { join } from "node:path";

import { test } from "vitest";

import { describeWith, type Need, needs } from "../../needs.ts";
import { atNight } from "../../night.ts";
import { type LoopFileSystem, runWithPrivateMounts } from "./private-mounts.ts";

interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly drivers: readonly Driver[];
  /**
   * Those that are not left to the night, for their time. Default those whose own code it is: all but fuse-overlayfs.
   */
  readonly byDay?: readonly Driver[];
}

type Driver = "overlay2" | "fuse-overlayfs" | "btrfs" | "vfs";

const both: readonly Driver[] = ["overlay2", "vfs"];

const btrfs: readonly Driver[] = ["btrfs"];

const fuse: readonly Driver[] = ["fuse-overlayfs"];

/** Of what every driver does by the same code (homes, attributes, streams): by day on one of them. */
const byOne: readonly Driver[] = ["overlay2"];

/** Of how layers are removed and looked at, which vfs does by the code of overlay2, and btrfs in its own way. */
const byTwo: readonly Driver[] = ["overlay2", "btrfs"];

/** fuse-overlayfs makes, fills and removes layers by the code of overlay2. */
const byTheirOwn: readonly Driver[] = ["overlay2", "btrfs", "vfs"];

const onTinyDisk: readonly Scenario[] = [
  { id: "fullDiskDuringApply", title: "a disk that is full in applyDiff leaves the layer as it was", drivers: both },
  { id: "fullDiskOfSmallFiles", title: "a disk that many small files fill does, too", drivers: both, byDay: byOne },
  {
    id: "fullDiskOfExactDiff",
    title: "a disk that is full of what is kept of an archive leaves the layer as it was",
    drivers: both,
  },
  { id: "fullDiskDuringRemove", title: "on a disk that is full to the last name layers are removed", drivers: both },
  {
    id: "attributesWithoutRoom",
    title: "an attribute that is too large is told from a full disk",
    drivers: ["overlay2", "vfs"],
    byDay: byOne,
  },
  { id: "fullDiskDuringCreate", title: "a disk that is full in create leaves no layer", drivers: ["vfs"] },
];

const anywhere: readonly Scenario[] = [
  {
    id: "refusedAttributes",
    title: "an attribute that the file system refuses fails the layer, by name, where that is asked for",
    drivers: both,
    byDay: byOne,
  },
  {
    id: "attributesLeftOut",
    title: "else they are left out, with one warning that counts and names them",
    drivers: both,
    byDay: byOne,
  },
  { id: "nothingInherited", title: "umask, lists and groups around a home are not in its layers", drivers: both },
  { id: "homeIsFile", title: "a home that is a file is refused", drivers: both, byDay: byOne },
  { id: "homeBelowFile", title: "a home below a file is refused", drivers: both, byDay: byOne },
  { id: "homeIsDanglingLink", title: "a home that is a symlink to nothing is refused", drivers: both, byDay: byOne },
  { id: "homeIsReadOnly", title: "a home that is read-only is refused", drivers: both, byDay: byOne },
  { id: "homeServedTwice", title: "a home that is being served is refused", drivers: both, byDay: byOne },
  { id: "homeOfItsOwn", title: "a home that is a file system of its own is in order", drivers: both, byDay: byOne },
  {
    id: "mountsInTrash",
    title: "what is mounted in a layer or a leftover stays, and keeps no home shut",
    drivers: both,
    byDay: byTwo,
  },
  {
    id: "protectedFiles",
    title: "what a container has marked immutable goes with its layer",
    drivers: both,
    byDay: byTwo,
  },
  {
    id: "unreadableLayer",
    title: "a layer that cannot be read keeps no other from being served, and is told of",
    drivers: both,
    byDay: byTwo,
  },
  { id: "mountsBesideLayers", title: "what is mounted beside the layers stays mounted", drivers: both, byDay: byTwo },
  {
    id: "fewDescriptors",
    title: "1,024 descriptors are enough for many layers at once, high and deep",
    drivers: both,
    byDay: [],
  },
  { id: "longPaths", title: "paths beyond a thread's memory are refused, and leave nothing", drivers: both, byDay: [] },
  {
    id: "lowerSymlinks",
    title: "an entry below a lower layer's symlink is what the documentation says, as with Docker's own driver",
    drivers: both,
  },
  { id: "silentPeers", title: "peers who neither send nor read keep nobody waiting", drivers: both, byDay: byOne },
  { id: "crashDuringApply", title: "kill -9 in applyDiff leaves each layer whole or as it was created", drivers: both },
  { id: "crashDuringCreate", title: "kill -9 in create leaves each layer whole or not there", drivers: both },
  { id: "crashDuringRemove", title: "kill -9 in remove leaves each layer whole or not there", drivers: both },
  {
    id: "crashDuringSweep",
    title: "what a crash left to delete keeps no home shut, nor open",
    drivers: both,
    byDay: ["overlay2"],
  },
  {
    id: "crashDuringExactApply",
    title: "kill -9 in applyDiff leaves a layer that gives back its archive, or is as it was created",
    drivers: both,
  },
  {
    id: "crashBetweenRecordAndTree",
    title: "a crash between the record of an archive and its tree leaves neither",
    drivers: ["overlay2"],
  },
  { id: "crashBetweenIsMended", title: "and a repair leaves neither", drivers: ["overlay2"] },
  {
    id: "layerRemovedByDocker",
    title: "the archive of a layer that Docker's own driver removed is forgotten",
    drivers: ["vfs"],
  },
  {
    id: "engineUnmounts",
    title: "a layer that an engine unmounted while it was held is mounted anew",
    drivers: ["overlay2"],
  },
  { id: "staleProbeMount", title: "a mount that a killed process left staged is swept", drivers: ["overlay2"] },
  { id: "homeOnAnotherFileSystem", title: "a home that is not on btrfs is refused, by name", drivers: btrfs },
];

const onBtrfs: readonly Scenario[] = [
  ...anywhere.filter(({ drivers }) => drivers === both).map((scenario) => ({ ...scenario, drivers: btrfs })),
  { id: "powerLoss", title: "what was made is on the disk, whole, when the power fails", drivers: btrfs },
  {
    id: "crashBetweenRecordAndTree",
    title: "a crash between the record of an archive and the exchange leaves neither",
    drivers: btrfs,
  },
  { id: "crashBetweenIsMended", title: "and a repair leaves neither", drivers: btrfs },
  { id: "crashBehindExchange", title: "a crash right behind the exchange leaves both", drivers: btrfs },
  { id: "crashBehindIsMended", title: "and a repair leaves both", drivers: btrfs },
  {
    id: "layerRemovedByDocker",
    title: "the archive of a layer that Docker's own driver removed is forgotten",
    drivers: btrfs,
  },
  {
    id: "unreadableSource",
    title: "a layer that may be a snapshot of one that cannot be read keeps others from being removed",
    drivers: btrfs,
  },
  { id: "inodesOfSubvolumes", title: "files of different subvolumes are not linked in a diff", drivers: btrfs },
  { id: "nestedSubvolumes", title: "subvolumes that a container made go with it, nothing else does", drivers: btrfs },
  { id: "readOnlySubvolumes", title: "so do read-only ones", drivers: btrfs },
  { id: "deepSubvolumes", title: "so do those below more folders than a path can name", drivers: btrfs },
  { id: "manySubvolumes", title: "so do hundreds of them", drivers: btrfs },
  { id: "staleSubvolumes", title: "subvolumes that a crash left are swept", drivers: btrfs },
  { id: "quotasTurnedOff", title: "a size is enforced, also after somebody turned quotas off", drivers: btrfs },
  { id: "sizeLeavesNoRoom", title: "a size that leaves no room is refused", drivers: btrfs },
  { id: "sizeOfAppliedDiff", title: "a size is enforced on a diff that is applied", drivers: btrfs },
  { id: "groupsOfRemovedLayers", title: "no quota group outlives its layer", drivers: btrfs },
  { id: "ordinaryUser", title: "an ordinary user is told that it is not for him", drivers: btrfs },
];

/** Of the program that mounts. */
const ofFuse: readonly Scenario[] = [
  {
    id: "engineUnmounts",
    title: "a layer that an engine unmounted while it was held is mounted anew",
    drivers: fuse,
  },
  { id: "programDies", title: "a layer whose program has died is mounted anew by get", drivers: fuse },
  { id: "programDiesUnnoticed", title: "so it is by open, and counts on", drivers: fuse },
  { id: "programHangs", title: "a program that hangs holds up nobody but who asks for its layer", drivers: fuse },
  { id: "programOfParentDies", title: "a diff finds that the program below has died", drivers: fuse },
  { id: "programIsMissing", title: "a machine without the program is told so, with the PATH", drivers: fuse },
  { id: "programRefuses", title: "what the program says when it refuses is told", drivers: fuse },
  { id: "homeOnOverlay", title: "a home that is on an overlay of the kernel is refused", drivers: fuse },
  { id: "deviceIsMissing", title: "a machine without /dev/fuse is told so", drivers: fuse },
  { id: "ordinaryUser", title: "an ordinary user is told that it is not for him", drivers: fuse },
  { id: "staleProgramMount", title: "a mount that a killed process left staged is swept", drivers: fuse },
];

const onFuse: readonly Scenario[] = [
  ...anywhere.filter(({ drivers }) => drivers === both).map((scenario) => ({ ...scenario, drivers: fuse })),
  ...ofFuse.map((scenario) => ({ ...scenario, byDay: fuse })),
];

describeWith([needs.root, needs.overlay, needs.loopDevices, needs.ext4], "on a disk of 16 MB", () => {
  for (const scenario of onTinyDisk) defineTests(scenario, "tiny ext4");
});

describeWith([needs.root, needs.overlay] satisfies Need[], "on the machine's disk", () => {
  for (const scenario of anywhere) defineTests(scenario);
});

describeWith([needs.root, needs.loopDevices, needs.btrfs], "on btrfs", () => {
  for (const scenario of onBtrfs) defineTests(scenario, "btrfs");
});

/** The two that bring names to the disk in the order in which they came, on which drivers rely. */
for (const fileSystem of ["ext4", "xfs"] as const) {
  describeWith([needs.root, needs.overlay, needs.loopDevices, needs[fileSystem]], `on ${fileSystem}`, () => {
    defineTests(
      {
        id: "powerLossOfLayers",
        title: "a layer that was made or laid on another stays so when the power fails",
        drivers: both,
      },
      fileSystem,
    );
    defineTests(
      {
        id: "powerLossOfSnapshots",
        title: "what a snapshotter acknowledged is there, whole, when the power fails",
        drivers: both,
        byDay: byOne,
      },
      fileSystem,
    );
    defineTests(
      {
        id: "powerLossIsLookedForOnce",
        title: "what a power loss may have left of snapshots is looked for once on each mount",
        drivers: ["overlay2"],
      },
      fileSystem,
    );
  });
}

describeWith([needs.root, needs.overlay, needs.loopDevices, needs.xfs], "on an xfs with projects", () => {
  defineTests(
    {
      id: "layersOfOtherProjects",
      title: "layers that are projects of their own, as Docker makes them, are filled, laid on others and mended",
      drivers: ["overlay2"],
    },
    "xfs",
  );
});

describeWith([needs.root, needs.loopDevices, needs.xfs], "on an xfs with many attributes", () => {
  defineTests(
    {
      id: "attributesUnlisted",
      title: "a file with more of them than the kernel lists is not copied without them, and is named",
      drivers: ["vfs"],
    },
    "xfs",
  );
});

describeWith([needs.root, needs.loopDevices, needs.btrfs], "on a btrfs of 24 MB", () => {
  for (const scenario of onTinyDisk.filter(({ drivers }) => drivers === both))
    defineTests({ ...scenario, drivers: btrfs }, "tiny btrfs");
  // Here nothing can be renamed any more.
  for (const scenario of onTinyDisk.filter(({ id }) => id === "fullDiskDuringRemove"))
    defineTests(scenario, "tiny btrfs");
});

describeWith(
  [needs.root, needs.overlay, needs.loopDevices, needs.recordedDisks, needs.ext4],
  "on a disk that fails",
  () => {
    defineTests({
      id: "diskDies",
      title: "calls fail with EIO by name, another store goes on, and what was acknowledged is there later",
      drivers: both,
      byDay: [],
    });
    defineTests({
      id: "diskTurnsReadOnly",
      title: "a disk that turns read-only fails what writes, and nothing else",
      drivers: both,
      byDay: byOne,
    });
  },
);

describeWith([needs.root, needs.overlay, needs.loopDevices, needs.ext4], "on a disk that loses writes", () => {
  defineTests({
    id: "writesOfSeveralLost",
    title: "diffs that are applied at once are each on the disk, or refused",
    drivers: both,
  });
  defineTests({
    id: "writesOfCreateLost",
    title: "what a layer was made of is on the disk when its diff is, also where another was told that it is not",
    drivers: both,
  });
  defineTests({
    id: "writesOfCopyLost",
    title: "a copy is on the disk when it is acknowledged, also where another was told that it is not",
    drivers: ["vfs"],
  });
});

const failingCalls: Scenario = {
  id: "failingCalls",
  title: "whatever system call fails, each method answers by an error of the contract, and nothing is lost",
  drivers: both,
  byDay: ["overlay2"],
};

describeWith([needs.root, needs.overlay, needs.strace], "with failing system calls", () => {
  defineTests(failingCalls);
});

if (atNight) {
  describeWith([needs.root, needs.loopDevices, needs.btrfs, needs.strace], "with failing system calls on btrfs", () => {
    defineTests({ ...failingCalls, drivers: btrfs }, "btrfs");
  });
}

describeWith([needs.root, needs.overlay, needs.fuseOverlayfs], "over FUSE", () => {
  for (const scenario of onFuse) defineTests(scenario);
});

if (atNight) {
  describeWith([needs.root, needs.fuseOverlayfs, needs.loopDevices, needs.ext4], "over FUSE on a disk of 16 MB", () => {
    for (const scenario of onTinyDisk.filter(({ drivers }) => drivers === both))
      defineTests({ ...scenario, drivers: fuse }, "tiny ext4");
  });
}

function defineTests({ id, title, drivers, byDay = byTheirOwn }: Scenario, fileSystem?: LoopFileSystem): void {
  const program = join(import.meta.dirname, "scenarios/main.mjs");
  for (const driver of atNight ? drivers : drivers.filter((one) => byDay.includes(one))) {
    test.concurrent(`${driver}: ${title}`, async () => {
      await runWithPrivateMounts((folder) => [process.execPath, program, id, driver, folder], { fileSystem });
    });
  }
}
