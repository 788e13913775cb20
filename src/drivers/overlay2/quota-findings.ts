import { isSystemError } from "../../errors/index.ts";
import { withFolderAt } from "../../layer/index.ts";
import { hasQuotaCall, projectQuotaState, readProject } from "../../syscall/index.ts";
import type { ProbedFeature } from "../../graphdriver/index.ts";

/** Whether a file system can limit what a layer takes; by asking it, which anybody may. */
export function examineProjectQuotas(folder: string): ProbedFeature {
  const name = "project quotas";
  return withFolderAt(folder, (descriptor): ProbedFeature => {
    const how = "quotactl(2) Q_XGETQSTAT";
    try {
      if (!hasQuotaCall("")) {
        return { name, state: "no", how: "quotactl(2)", note: "a kernel without quotas (CONFIG_QUOTA)" };
      }
      if (readProject(descriptor) === undefined) {
        return { name, state: "no", how: "ioctl(2) FS_IOC_FSGETXATTR", note: "a file system without projects" };
      }
      if (!hasQuotaCall(descriptor)) {
        return { name, state: "unknown", how: "quotactl_fd(2)", note: "a kernel before 5.14 answers root alone" };
      }
      const { counts, enforces } = projectQuotaState(descriptor);
      if (enforces) return { name, state: "yes", how };
      return {
        name,
        state: "no",
        how,
        note: counts ? "counts, and enforces no limits" : "none switched on (mount option prjquota)",
      };
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return { name, state: "unknown", how, note: error.message };
    }
  });
}
