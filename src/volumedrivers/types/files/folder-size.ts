/** What a folder may hold, by a project quota of its own. Linux 5.14, which takes an open file for a file system. */
import { constants, open } from "node:fs/promises";
import { CleatError, isSystemError, UnsupportedError } from "../../../errors/index.ts";
import {
  fileSystemName,
  hasQuotaCall,
  limitProject,
  projectQuotaState,
  projectUsage,
  readProject,
  setProject,
} from "../../../syscall/index.ts";
import type { VolumeUsage } from "../../managed/volume-backend.ts";

/** Others count from 1, and Docker one by one from the project of its folder: far from them. */
const firstProject = 0x2000_0000;
const lastProject = 0x3fff_ffff;

let nextProject = firstProject;

/**
 * Gives an empty folder a project that nothing has yet, limited to `sizeBytes`; what is made in it gets the same.
 * @throws UNIMPLEMENTED where sizes cannot be enforced, with what was seen.
 */
export async function giveProject(folder: string, sizeBytes: number): Promise<void> {
  await withFolder(folder, (descriptor) => {
    assertEnforced(descriptor, folder);
    const id = freeProject(descriptor);
    limitProject(descriptor, id, sizeBytes);
    setProject(descriptor, { id, inherits: true });
  });
}

/** Gives it another limit. @throws FAILED_PRECONDITION when it has none. */
export async function limitFolder(folder: string, sizeBytes: number): Promise<void> {
  await withFolder(folder, (descriptor) => {
    const id = ownProject(descriptor);
    if (id === undefined) throw new CleatError("FAILED_PRECONDITION", `"${folder}" was made without a size`);
    limitProject(descriptor, id, sizeBytes);
  });
}

/**
 * Takes the limit away, so that the project is free once the files are gone. Of a folder that is gone it does nothing.
 */
export async function clearProject(folder: string): Promise<void> {
  try {
    await withFolder(folder, (descriptor) => {
      const id = ownProject(descriptor);
      if (id !== undefined) limitProject(descriptor, id, 0);
    });
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
  }
}

/** `undefined` for a folder without a project, of which nobody counts what it holds. */
export function usageOfFolder(folder: string, sizeBytes: number | undefined): Promise<VolumeUsage | undefined> {
  return withFolder(folder, (descriptor) => {
    const id = ownProject(descriptor);
    if (id === undefined) return undefined;
    const { usedBytes, inodes } = projectUsage(descriptor, id);
    return { usedBytes, inodes, sizeBytes };
  });
}

async function withFolder<Result>(folder: string, work: (descriptor: number) => Result): Promise<Result> {
  await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  return work(handle.fd);
}

function ownProject(descriptor: number): number | undefined {
  const { id = 0 } = readProject(descriptor) ?? {};
  return id >= firstProject && id <= lastProject ? id : undefined;
}

function assertEnforced(descriptor: number, folder: string): void {
  const fileSystem = fileSystemName(descriptor);
  const needed = "xfs or ext4 mounted with prjquota (ext4: made with mkfs.ext4 -O quota,project, too)";
  const probed = `quotactl_fd(2) of "${folder}"`;
  const hasProjects = readProject(descriptor) !== undefined && ["xfs", "extfs"].includes(fileSystem);
  if (!hasProjects)
    throw new UnsupportedError("a size", { needed, probed: `statfs(2) of "${folder}"`, seen: fileSystem });
  if (!hasQuotaCall(descriptor)) {
    throw new UnsupportedError("a size", { needed: "Linux 5.14 with quotas (CONFIG_QUOTA)", probed, seen: "ENOSYS" });
  }
  if (projectQuotaState(descriptor).enforces) return;
  throw new UnsupportedError("a size", { needed, probed, seen: `${fileSystem} that limits no projects` });
}

/** One of which the kernel has neither files nor a limit. */
function freeProject(descriptor: number): number {
  for (; nextProject <= lastProject; nextProject++) {
    const { inodes, limitBytes } = projectUsage(descriptor, nextProject);
    if (inodes === 0 && limitBytes === 0) return nextProject++;
  }
  nextProject = firstProject;
  throw new CleatError("RESOURCE_EXHAUSTED", "there is no project left for a folder with a size");
}
