import { dirname } from "node:path";
import { isSystemError } from "../../../errors/index.ts";
import { withFolder } from "../../../layer/index.ts";
import { close, O_NOFOLLOW, O_RDONLY, openat, readProject, renameat2, setProject } from "../../../syscall/index.ts";

/**
 * Renames a file from one open folder to another, also into a folder that hands on a project of its own, as those of a
 * layer to which Docker's driver has given a size: the kernel refuses a file of another project there with EXDEV,
 * quotas or none.
 * Source: Linux v6.1 `fs/ext4/namei.c` `ext4_rename`, `fs/xfs/xfs_inode.c` `xfs_rename`.
 */
export function renameAcrossProjects(from: number, path: string, to: number, newPath: string): void {
  try {
    return renameat2(from, path, to, newPath);
  } catch (error) {
    if (!isSystemError(error, "EXDEV")) throw error;
  }
  const project = withFolder(to, dirname(newPath), readProject);
  const file = openat(from, path, O_RDONLY | O_NOFOLLOW);
  try {
    if (project !== undefined) setProject(file, { id: project.id, inherits: false });
  } finally {
    close(file);
  }
  renameat2(from, path, to, newPath);
}
