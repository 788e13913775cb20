/** Whether project quotas are enforced on the file system of a home. These functions block and run on workers. */
import { isSystemError, type MissingAbility, UnsupportedError } from "../../../errors/index.ts";
import { withFolder, withFolderAt } from "../../../layer/index.ts";
import {
  fileSystemName,
  fstat,
  hasQuotaCall,
  isInUserNamespace,
  mknodat,
  projectQuotaState,
  projectUsage,
  type QuotaTarget,
  readProject,
  S_IFBLK,
  setProject,
  tryUnlinkat,
} from "../../../syscall/index.ts";
import { ownFolder, trashFolder } from "../../../graphdriver/job-kit.ts";

export interface ProjectQuotas {
  /** The project of the home itself. */
  readonly homeProject: number;
  /** Whether the home hands its project on. */
  readonly homeInherits: boolean;
  /** Path of a node of the file system's block device, where the kernel wants one (before Linux 5.14). */
  readonly device: string | undefined;
}

/** How requests about the file system of an open file reach it. */
export function quotaTarget({ device }: ProjectQuotas, descriptor: number): QuotaTarget {
  return device ?? descriptor;
}

/**
 * The highest project that no layer may have. The one above the home's is where Docker's driver tries out, each time it
 * starts, whether it can take a limit away: it would be a layer's. Source: moby v20.10.24 `quota/projectquota.go`
 * `NewControl`.
 */
export function lastReservedProject({ homeProject }: ProjectQuotas): number {
  return homeProject + 1;
}

/** Either what enforces sizes, or what is missing. */
export type QuotaSupport = ProjectQuotas | MissingAbility;

export function isEnforced(support: QuotaSupport): support is ProjectQuotas {
  return "homeProject" in support;
}

/** @throws UNIMPLEMENTED where sizes cannot be enforced, with what was probed. */
export function assertEnforced(support: QuotaSupport, subject: string): ProjectQuotas {
  if (isEnforced(support)) return support;
  throw new UnsupportedError(`${subject}: a size`, support);
}

/**
 * Finds out by asking, without making anything: a full disk must not keep a store from being opened. Source of the
 * steps: moby v20.10.24 `quota/projectquota.go` `NewControl`.
 */
export function probeProjectQuotas(home: string): QuotaSupport {
  return withFolderAt(home, (folder) => {
    freeTrash(folder);
    if (!hasQuotaCall("")) {
      return { needed: "a kernel with quotas (CONFIG_QUOTA)", probed: "quotactl(2)", seen: "ENOSYS" };
    }
    const fileSystem = fileSystemName(folder);
    const project = readProject(folder);
    if (project === undefined || !["xfs", "extfs"].includes(fileSystem)) {
      return { needed: "project quotas of xfs or ext4", probed: `statfs(2) of "${home}"`, seen: fileSystem };
    }
    try {
      const device = hasQuotaCall(folder) ? undefined : makeDevice(home, folder);
      return askFileSystem(device ?? folder, fileSystem) ?? quotasOf(project, device);
    } catch (error) {
      if (!isSystemError(error, "EPERM", "EACCES", "ENOENT", "ENXIO", "ENOTBLK")) throw error;
      return { needed: "root's privileges over project quotas", probed: "quotactl(2)", seen: error.message };
    }
  });
}

function quotasOf({ id, inherits }: { id: number; inherits: boolean }, device: string | undefined): ProjectQuotas {
  return { homeProject: id, homeInherits: inherits, device };
}

function askFileSystem(target: QuotaTarget, fileSystem: string): MissingAbility | undefined {
  const { counts, enforces } = projectQuotaState(target);
  if (!enforces) {
    const seen = `${fileSystem} that ${counts ? "counts projects and enforces no limits" : "does not count projects"}`;
    const needed = "a file system mounted with prjquota (ext4: made with mkfs.ext4 -O quota,project, too)";
    return { needed, probed: "quotactl(2) Q_XGETQSTAT", seen };
  }
  // The status is anybody's to ask for; this is not.
  projectUsage(target, 1);
  return undefined;
}

/** Made anew each time, for the home may have been copied to another disk. */
function makeDevice(home: string, folder: number): string {
  const name = `${ownFolder}/device`;
  const major = Math.trunc(fstat(folder).fileSystem / 2 ** 32);
  const minor = fstat(folder).fileSystem % 2 ** 32;
  tryUnlinkat(folder, name);
  mknodat(folder, name, S_IFBLK | 0o600, major, minor);
  return `${home}/${name}`;
}

/**
 * In a home that hands its project on, nothing of a layer's own project could be renamed into the trash. In a user
 * namespace no layer has one, and the kernel lets nobody change what is handed on. Source: Linux v6.1 `fs/ioctl.c`
 * `fileattr_set_prepare`.
 */
function freeTrash(home: number): void {
  if (isInUserNamespace()) return;
  withFolder(home, trashFolder, (trash) => {
    const project = readProject(trash);
    if (project?.inherits) setProject(trash, { ...project, inherits: false });
  });
}
