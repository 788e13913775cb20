import type { ManagedVolume, VolumeCall, VolumeUsage } from "../../managed/volume-backend.ts";
import { fileSystemUsage, isMountPoint } from "../../mounting/mount-file-system.ts";

/** What the file system says that is mounted at a volume's target. */
export async function usageWhileMounted(
  { target }: Pick<ManagedVolume, "target">,
  call: VolumeCall,
): Promise<VolumeUsage | undefined> {
  return isMountPoint(target) ? fileSystemUsage(target, call) : undefined;
}
