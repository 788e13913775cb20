/**
 * The limit on what a layer may hold: its diff and work folders are a project of their own, and what a container makes
 * in them is of that project too. The kernel keeps the project in the inodes and the limit in the file system, so that
 * nothing is written down here. These functions block and run on workers.
 *
 * On ext4 root with CAP_SYS_RESOURCE writes beyond any limit; overlay takes that from whoever writes through its
 * mounts, Docker from its containers. Source: Linux v6.1 `fs/quota/dquot.c` `ignore_hardlimit`, `fs/overlayfs/super.c`
 * `ovl_fill_super`.
 *
 * The layer's folder itself carries the project without handing it on: Docker's driver looks there for projects that
 * are taken, and a mount point can be made in it when the project is full. Source: moby v20.10.24
 * `quota/projectquota.go`.
 */
import { CleatError, isSystemError, withSubject } from "../../../errors/index.ts";
import { withFolder, withFolderAt } from "../../../layer/index.ts";
import { limitProject, type Project, projectUsage, readProject, setProject } from "../../../syscall/index.ts";
import { type ProjectQuotas, quotaTarget } from "./project-quotas.ts";

/** Not a project: the kernel's "none". Source: `KPROJIDT_INIT(-1)`, Linux v6.1 `linux/projid.h`. */
const noProject = 2 ** 32 - 1;

/**
 * Makes the folders of a layer that is being made, and nothing else yet, a project of their own with a limit. Returns
 * its number, the first free one above `after`.
 * @throws INVALID_ARGUMENT when the folders themselves take as much.
 */
export function limitLayer(staged: number, sizeBytes: number, after: number, quotas: ProjectQuotas): number {
  const project = withFolder(staged, "diff", (diff) => {
    const id = takeProject(diff, after, quotas);
    const target = quotaTarget(quotas, diff);
    withFolderIfThere(staged, "work", (work) => setProject(work, { id, inherits: true }));
    const { usedBytes } = projectUsage(target, id);
    if (usedBytes >= sizeBytes) {
      const why = `its empty folders take ${usedBytes} bytes`;
      throw new CleatError("INVALID_ARGUMENT", `a size of ${sizeBytes} bytes leaves no room: ${why}`);
    }
    limitProject(target, id, sizeBytes);
    return id;
  });
  // What is renamed into a home that hands on a project of its own must be of that one.
  if (!quotas.homeInherits) markFolder(staged, project);
  return project;
}

/** Shows on the layer's folder itself which project is taken. */
export function markFolder(layer: number, id: number): void {
  setProject(layer, { id, inherits: false });
}

/**
 * Finds a project of which the file system knows no file and gives it to a folder. The kernel is the only register that
 * all who use the file system share, and it has no call that takes a free number: so the folder takes one first, and
 * looks then whether it is alone there.
 */
function takeProject(folder: number, after: number, quotas: ProjectQuotas): number {
  const target = quotaTarget(quotas, folder);
  const before = readProject(folder) as Project;
  for (let id = after + 1; id < noProject; id++) {
    if (projectUsage(target, id).inodes > 0) continue;
    setProject(folder, { id, inherits: true });
    if (projectUsage(target, id).inodes === 1) return id;
    setProject(folder, before);
  }
  throw new CleatError("RESOURCE_EXHAUSTED", `no project above ${after} is free`);
}

function withFolderIfThere(parent: number, name: string, visit: (folder: number) => void): void {
  try {
    withFolder(parent, name, visit);
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
  }
}

interface LimitedProject {
  readonly id: number;
  readonly limitBytes: number;
}

/** The project of a layer that has a limit. A layer that is damaged or not there has none. */
export function limitedProject(home: string, id: string, quotas: ProjectQuotas): LimitedProject | undefined {
  try {
    return withFolderAt(`${home}/${id}/diff`, (diff) => {
      const project = readProject(diff);
      if (project === undefined || project.id === quotas.homeProject || project.id === 0) return undefined;
      const { limitBytes } = projectUsage(quotaTarget(quotas, diff), project.id);
      return limitBytes === 0 ? undefined : { id: project.id, limitBytes };
    });
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
    throw withSubject(error, `layer "${id}"`);
  }
}

/** The number of the project of a layer that has a limit. */
export function projectOfLayer(home: string, id: string, quotas: ProjectQuotas): number | undefined {
  return limitedProject(home, id, quotas)?.id;
}

/**
 * Looks at the limit of an open folder's project, which did not bind this process if it has CAP_SYS_RESOURCE on ext4.
 * @throws RESOURCE_EXHAUSTED when more is there.
 */
export function assertWithinLimit(folder: number, quotas: ProjectQuotas): void {
  const project = readProject(folder);
  if (project === undefined || project.id === 0 || project.id === quotas.homeProject) return;
  const { limitBytes, usedBytes } = projectUsage(quotaTarget(quotas, folder), project.id);
  if (limitBytes === 0 || usedBytes <= limitBytes) return;
  throw new CleatError("RESOURCE_EXHAUSTED", `its size is ${limitBytes} bytes, and it would hold ${usedBytes}`);
}

/**
 * Takes the limit from a project whose layer is gone, while there are files of it in the trash: as soon as there are
 * none, another layer may be given the project, by another process even, and it would be that one's limit.
 */
export function forgetLimit(home: string, project: number, quotas: ProjectQuotas): void {
  withFolderAt(home, (folder) => limitProject(quotaTarget(quotas, folder), project, 0));
}

/**
 * Gives an open folder the project of the one at `path`, which it is to replace, or in which it is to lie: another's
 * could not be renamed into the layer, and would not count.
 */
export function takeProjectOf(path: string, folder: number): void {
  const wanted = withFolderAt(path, readProject);
  const own = readProject(folder);
  if (wanted === undefined || own === undefined) return;
  if (wanted.id !== own.id || wanted.inherits !== own.inherits) setProject(folder, wanted);
}
