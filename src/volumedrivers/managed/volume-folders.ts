/**
 * What a driver keeps in its folder:
 *
 *     <folder>/state/            records (`cleat/state`), for root only
 *     <folder>/state-mark.json   how far they have come, so that older ones of a backup are known as such
 *     <folder>/volumes/<name>/   what is kept of a volume
 *     <folder>/mounts/<name>/    where it is mounted, while it is
 *     <folder>/trash/            what is being deleted
 *
 * Other users may pass through, and see nothing: runtimes mount volumes into containers as a mapped root. Source: moby
 * v23.0.0 `volume/local/local.go` `New`.
 */
import { randomBytes } from "node:crypto";
import { lstat, readdir, realpath, rename, rmdir } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { CleatError, isSystemError } from "../../errors/index.ts";
import { makeFolders, syncFolder } from "../../files/index.ts";
import { keepToFolder, readMounts } from "../../syscall/index.ts";
import type { Logger } from "../../transport/index.ts";
import { hasMounts } from "../mounting/mount-file-system.ts";
import { removeTrees } from "../mounting/run-tool.ts";

export interface VolumeFolders {
  readonly state: string;
  readonly mark: string;
  /** @throws FAILED_PRECONDITION when the driver's folder was moved, or mounted over, since it was opened. */
  assertInPlace(): void;
  folderOf(name: string): string;
  targetOf(name: string): string;
  /** @throws FAILED_PRECONDITION where a folder of that name is somebody else's. */
  assertUnused(name: string): Promise<void>;
  /** @throws FAILED_PRECONDITION while something is mounted in the volume's folder. */
  assertRemovable(name: string): void;
  /** Makes a volume's folder, durably. */
  make(name: string): Promise<void>;
  makeTarget(name: string): Promise<void>;
  removeTarget(name: string): Promise<void>;
  /** Takes a volume's folder out of the way in one step; what is in it is deleted behind. */
  discard(name: string): Promise<void>;
  /** Deletes behind what was discarded, also by a process that was killed. */
  emptyTrash(): void;
}

const passageMode = 0o711;

/** Of what is in the trash. Anything else is not the driver's: its folder may have been somebody's before. */
const discardedName = /^[0-9a-f]{32}$/;

/** Why the driver's own folder is not there, in words, where they are others than the system's. */
function explainFolder(folder: string, error: unknown): unknown {
  const why = isSystemError(error) ? whyNot[error.code] : undefined;
  if (why === undefined) return error;
  return new CleatError("FAILED_PRECONDITION", `folder ${JSON.stringify(folder)} ${why}`, { cause: error });
}

const whyNot: Readonly<Record<string, string>> = {
  EEXIST: "is not a folder",
  ENOTDIR: "cannot be made: a part of its path is not a folder",
  ENOENT: "cannot be made: its file system takes no folders",
  EROFS: "cannot be made: its file system is mounted read-only",
};

/** Makes the folders. @throws INVALID_ARGUMENT for a path that is not absolute. */
export async function openVolumeFolders(folder: string, logger: Logger): Promise<VolumeFolders> {
  if (!isAbsolute(folder)) throw new CleatError("INVALID_ARGUMENT", `folder "${folder}" is not an absolute path`);
  await makeFolders(folder, passageMode).catch((error: unknown) => {
    throw explainFolder(folder, error);
  });
  const home = await realpath(folder); // as the kernel shows mounts below it
  const [volumes, mounts, trash] = ["volumes", "mounts", "trash"].map((name) => join(home, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [volumes, mounts, trash]) await makeFolders(path, passageMode);
  await syncFolder(home);
  // A name is one part of a path (`volumeNamePattern`), and lists ask for them by the thousand.
  const folderOf = (name: string) => `${volumes}/${name}`;
  const targetOf = (name: string) => `${mounts}/${name}`;
  /** Whether something was discarded since the trash was looked into. */
  let isFilled = false;
  let isEmptying = false;

  const emptyOnce = async () => {
    const discarded = (await readdir(trash))
      .filter((name) => discardedName.test(name))
      .map((name) => join(trash, name));
    const mounted = readMounts();
    const paths = discarded.filter((path) => !hasMounts(path, mounted)); // else somebody's files
    if (paths.length > 0) await removeTrees(paths);
  };
  /** One look for all that is discarded during the one before, as each starts a process. */
  const emptyTrash = async () => {
    isFilled = true;
    if (isEmptying) return;
    isEmptying = true;
    while (isFilled) {
      isFilled = false;
      await emptyOnce().catch((error: unknown) => {
        logger.warn({ err: error, path: trash }, "what was removed cannot be deleted");
      });
    }
    isEmptying = false;
  };

  const assertRemovable = (name: string) => {
    if (!hasMounts(folderOf(name))) return;
    const message = `volume "${name}" cannot be removed: something is mounted in "${folderOf(name)}"`;
    throw new CleatError("FAILED_PRECONDITION", message);
  };

  return {
    state: join(home, "state"),
    mark: join(home, "state-mark.json"),
    assertInPlace: keepToFolder(home, "folder"),
    folderOf,
    targetOf,
    async assertUnused(name) {
      const path = folderOf(name);
      const isThere = await lstat(path).then(() => true, unlessGone);
      if (isThere !== true) return;
      const message = `volume "${name}" cannot be created: "${path}" is there already, and no volume's; move it away`;
      throw new CleatError("FAILED_PRECONDITION", message);
    },
    assertRemovable,
    async make(name) {
      await makeFolders(folderOf(name), 0o755);
      await syncFolder(volumes);
    },
    makeTarget: async (name) => void (await makeFolders(targetOf(name), 0o755)),
    removeTarget: (name) => rmdir(targetOf(name)).catch(unlessGone),
    async discard(name) {
      assertRemovable(name);
      await rename(folderOf(name), join(trash, randomBytes(16).toString("hex"))).catch(unlessGone);
      await syncFolder(volumes);
    },
    emptyTrash: () => void emptyTrash(),
  };
}

function unlessGone(error: unknown): void {
  if (!isSystemError(error, "ENOENT")) throw error;
}
