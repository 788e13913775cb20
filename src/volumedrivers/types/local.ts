import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { sizeOption } from "../options/option-types.ts";
import type { VolumeBackend } from "../managed/volume-backend.ts";
import { clearProject, giveProject, limitFolder, usageOfFolder } from "./folder-size.ts";

const options = { size: sizeOption().optional() };

/**
 * A folder of the driver's own, as Docker's `local` makes without options. With `size` it holds no more than that, where it
 * lies on xfs or ext4 with project quotas; elsewhere such a volume is refused.
 */
export const local: VolumeBackend<typeof options> = {
  options,
  async create({ options: { size }, folder }) {
    const files = filesOf(folder);
    await mkdir(files, { recursive: true, mode: 0o755 });
    if (size !== undefined) await giveProject(files, size);
  },
  mount: async ({ folder }) => filesOf(folder),
  unmount: async () => {},
  pathOf: ({ folder }) => filesOf(folder),
  async remove({ options: { size }, folder }) {
    if (size !== undefined) await clearProject(filesOf(folder));
  },
  async usage({ options: { size }, folder }) {
    return usageOfFolder(filesOf(folder), size);
  },
  async resize({ folder }, sizeBytes) {
    await limitFolder(filesOf(folder), sizeBytes);
    return { size: String(sizeBytes) };
  },
};

function filesOf(folder: string): string {
  return join(folder, "data");
}
