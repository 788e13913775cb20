import { describeWith, type Need, needs, needsOf } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { type EngineRelease, machine, titleOf, trixie } from "../namespaces/release.ts";
import type { Fidelity } from "../images/tree-listing.ts";

/** What an engine keeps its layers on: a driver of Docker's own, or one of Cleat's behind a plugin. */
export interface Storage {
  readonly title: string;
  /** Whose Docker it is that keeps them. */
  readonly release: EngineRelease;
  /** The driver that Cleat serves; undefined where the engine uses its own. */
  readonly cleatDriver: string | undefined;
  /** What `cleat serve graph` is told besides. */
  readonly cleatArguments?: readonly string[];
  /** What a layer has of its parent; Docker's own `vfs` copies no attribute but `security.capability`. */
  readonly inherits: Fidelity;
  /**
   * Whether the layer of a container is the same each time that it is committed: it is where a deletion has a time of
   * its own. A naive diff gives it the time of the commit (moby v20.10.24 `pkg/archive/changes.go`, `ExportChanges`).
   */
  readonly repeatsCommits: boolean;
  /**
   * Whether the diff of a container may lack deletions: fuse-overlayfs 1.10 answers for names in a folder that was made
   * anew which a listing no longer has (containers/fuse-overlayfs issue 324), and Docker's own driver asks by name.
   */
  readonly missesDeletions: boolean;
  /** What `dockerd --storage-driver` names; under a data root also the folder of the layers. */
  readonly storageDriver: string;
  /** The file system that the engine's data root must be on; undefined where any will do. */
  readonly fileSystem: "btrfs" | undefined;
  readonly needs: readonly Need[];
}

export const builtinOverlay2 = builtin("overlay2");
export const cleatOverlay2 = cleat("overlay2");
export const builtinFuseOverlayfs = builtin("fuse-overlayfs");
export const cleatFuseOverlayfs = cleat("fuse-overlayfs");
export const builtinBtrfs = builtin("btrfs");
export const cleatBtrfs = cleat("btrfs");
export const cleatVfs = cleat("vfs");

/**
 * Docker's own drivers are in here because a test that they fail says nothing about Cleat; but for its fuse-overlayfs,
 * which fails `missesDeletions`. By day `laterStorages` have overlay2.
 */
export const storages: readonly Storage[] = byDayOrNight(
  [cleatFuseOverlayfs, cleatBtrfs],
  [cleatOverlay2, cleatVfs, builtinOverlay2, builtinBtrfs, builtin("vfs")],
);

/**
 * What Docker does to layers that are mounted through a restart: fuse-overlayfs' programs are the kit's and
 * `programs.mjs`', and btrfs mounts none.
 */
export const restartedStorages: readonly Storage[] = byDayOrNight(
  [cleatOverlay2],
  [cleatFuseOverlayfs, cleatBtrfs, cleatVfs, builtinOverlay2, builtinBtrfs, builtin("vfs")],
);

/** Under the last Docker whose graph drivers can be plugins. */
export const laterStorages: readonly Storage[] = byDayOrNight(
  [cleatOverlay2],
  [cleatFuseOverlayfs, cleatBtrfs, cleatVfs, builtinOverlay2],
).map((storage) => ofRelease(trixie, storage));

/** Defines the same tests on each; those that lack what they need here are skipped with the reason. */
export function describeOn(rows: readonly Storage[], body: (storage: Storage) => void): void {
  for (const storage of rows) describeWith(storage.needs, `on ${storage.title}`, () => body(storage));
}

/** Layers keep what their archives were; each call is logged. */
export function withExactDiffs(storage: Storage): Storage {
  const cleatArguments = ["--opt=cleat.exact_diffs=true", "--log-level=debug"];
  return { ...storage, title: `${storage.title} with exact diffs`, cleatArguments };
}

/** The same with another release's Docker. */
export function ofRelease(release: EngineRelease, storage: Storage): Storage {
  const title = `${storage.title} of ${titleOf(release, "docker")}`;
  return { ...storage, title, release, needs: [...storage.needs, ...needsOf(release, "docker")] };
}

function builtin(storageDriver: string): Storage {
  const title = `builtin ${storageDriver}`;
  return {
    title,
    release: machine,
    cleatDriver: undefined,
    storageDriver,
    inherits: storageDriver === "vfs" ? "archived" : "exact",
    missesDeletions: storageDriver === "fuse-overlayfs",
    ...foundationOf(storageDriver),
  };
}

function cleat(driver: string): Storage {
  const title = `cleat ${driver}`;
  return {
    title,
    release: machine,
    cleatDriver: driver,
    storageDriver: `cleat-${driver}`,
    inherits: "exact",
    missesDeletions: false,
    ...foundationOf(driver),
  };
}

function foundationOf(driver: string): Pick<Storage, "repeatsCommits" | "fileSystem" | "needs"> {
  const repeatsCommits = driver === "overlay2";
  if (driver === "fuse-overlayfs") return { repeatsCommits, fileSystem: undefined, needs: [needs.fuseOverlayfs] };
  if (driver !== "btrfs") return { repeatsCommits, fileSystem: undefined, needs: [] };
  return { repeatsCommits, fileSystem: "btrfs", needs: [needs.loopDevices, needs.btrfs] };
}
