import { unlinkSync } from "node:fs";
import { basename } from "node:path";
import { CleatError, isSystemError, quoteText } from "../../errors/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import { MNT_DETACH, umount2 } from "../../syscall/index.ts";
import { isStagedOrTrashed, ownFolder, type Remove, stagingFolder, trashFolder } from "../home/folders/home.ts";
import { type Damage, mendable, unmendable } from "../finding.ts";
import { readMountsBelow } from "./mounts-below.ts";
import { driverRecordFile } from "../home/records/driver-record.ts";
import { countsFile, readRecordedCounts } from "./recorded-counts.ts";
import { kindOf, namesIn, nameText, readJsonAt, withPathIfThere } from "./store-entries.ts";
import type { LayerMount } from "../survey.ts";
import { writeRecord } from "../home/records/write-record.ts";

export interface OwnFacts {
  readonly home: string;
  /** The home, open. */
  readonly folder: number;
  readonly mounts: readonly LayerMount[];
  /** How the driver removes what was staged. */
  readonly remove: Remove;
  /** The layers that may be held. */
  readonly mountedLayers: ReadonlySet<string>;
}

/** What is wrong with the folder that Cleat keeps in each home (`../home/folders/home.ts`). */
export function findOwnDamage(facts: OwnFacts): Damage[] {
  return [
    ...findWrongFolders(facts, [ownFolder, stagingFolder, trashFolder]),
    ...findStagedMounts(facts),
    ...findLeft(facts, stagingFolder, "staged-left", "was being made when a process died"),
    ...findLeft(facts, trashFolder, "trash-left", "was removed and not deleted yet"),
    ...findWrongCounts(facts),
    ...findWrongDriver(facts),
  ];
}

/** Folders of the layout that are symlinks or files: whatever is done by their path would be done elsewhere. */
export function findWrongFolders({ folder }: Pick<OwnFacts, "folder">, paths: readonly string[]): Damage[] {
  return paths.flatMap((path) => {
    const at = path.lastIndexOf("/");
    const kind =
      at < 0
        ? kindOf(folder, path)
        : withPathIfThere(folder, path.slice(0, at), (parent) => kindOf(parent, path.slice(at + 1)));
    if (kind === undefined || kind === "folder") return [];
    const problem = `"${path}" is not a folder: something of the kind "${kind}" has its name`;
    return [unmendable({ kind: "own-folder-wrong", path, problem }, "nothing that puts it there is known")];
  });
}

/** The innermost first. Nothing in staging or trash is anybody's, as when a driver opens the home. */
function findStagedMounts({ home, mounts }: OwnFacts): Damage[] {
  return mounts
    .filter(({ mountPoint, elsewhere }) => !elsewhere && isStagedOrTrashed(home, mountPoint))
    .toReversed()
    .map(({ mountPoint, fileSystemType }) => {
      const path = mountPoint.slice(home.length + 1);
      const problem = `"${path}" is a mount of ${fileSystemType} that a process left when it died`;
      return mendable({ kind: "stale-mount", path, problem }, () => umount2(mountPoint, MNT_DETACH));
    });
}

function findLeft(
  { home, folder, remove }: OwnFacts,
  below: string,
  kind: "staged-left" | "trash-left",
  what: string,
): Damage[] {
  return namesIn(folder, below).map((name) => {
    const path = `${below}/${nameText(name)}`;
    return mendable({ kind, path, problem: `"${path}" ${what}` }, () => {
      assertNothingMounted(home, path);
      withFolderAt(home, (opened) => withPathIfThere(opened, below, (parent) => remove(parent, name)));
    });
  });
}

/** Deleting below a mount point would delete what is mounted there. */
export function assertNothingMounted(home: string, path: string): void {
  const mount = readMountsBelow(home).find(({ mountPoint }) => `${mountPoint}/`.startsWith(`${home}/${path}/`));
  if (mount !== undefined) throw new CleatError("FAILED_PRECONDITION", `"${mount.mountPoint}" is mounted`);
}

function findWrongCounts({ home, folder, mountedLayers }: OwnFacts): Damage[] {
  const { counts, damaged, problem, otherVersion } = readRecordedCounts(folder);
  const subject = { path: countsFile };
  if (otherVersion !== undefined) {
    const text = `"${countsFile}" is of version ${otherVersion}, not 1`;
    return [
      unmendable({ ...subject, kind: "record-other-version", problem: text }, "a later Cleat may have written it"),
    ];
  }
  if (problem !== undefined) {
    const removeIt = (): void => unlinkIfThere(`${home}/${countsFile}`);
    return [mendable({ ...subject, kind: "record-damaged", problem: `"${countsFile}" ${problem}` }, removeIt)];
  }
  const wrong = [...counts.keys()].filter((id) => !mountedLayers.has(id));
  if (wrong.length + damaged.length === 0) return [];
  const text = `"${countsFile}" counts ${formatNames([...wrong, ...damaged])}, not there, not mounted or no count`;
  const right = Object.fromEntries([...counts].filter(([id]) => mountedLayers.has(id)));
  return [
    mendable({ ...subject, kind: "counts-wrong", problem: text }, () =>
      withFolderAt(home, (opened) =>
        writeRecord(opened, ownFolder, "counts.json", JSON.stringify({ version: 1, counts: right }), 0o600),
      ),
    ),
  ];
}

/** The layouts of some drivers are alike, so nothing else tells whose the layers are. */
function findWrongDriver({ folder }: OwnFacts): Damage[] {
  const kind = withPathIfThere(folder, ownFolder, (own) => kindOf(own, basename(driverRecordFile)));
  if (kind === undefined) return [];
  const { version, driver } = readJsonAt(folder, driverRecordFile) ?? {};
  if (version === 1 && typeof driver === "string") return [];
  const path = driverRecordFile;
  if (version === undefined || version === 1) {
    const problem = `"${path}" does not tell which driver has the layers`;
    return [unmendable({ kind: "record-damaged", path, problem }, "whose they are is for somebody to say who knows")];
  }
  const problem = `"${path}" is of version ${JSON.stringify(version)}, not 1`;
  return [unmendable({ kind: "record-other-version", path, problem }, "a later Cleat may have written it")];
}

const maxListed = 3;

/** Names, quoted; of many the first. */
export function formatNames(names: readonly string[]): string {
  const shown = names.slice(0, maxListed).map((name) => quoteText(name));
  const more = names.length - shown.length;
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
  }
}
