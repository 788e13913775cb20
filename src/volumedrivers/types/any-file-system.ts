import type { VolumeBackend } from "../managed/volume-backend.ts";
import { mountFileSystem } from "../mounting/mount-file-system.ts";
import { mountListOption } from "../options/mount-list.ts";
import { textOption } from "../options/option-types.ts";
import { usageWhileMounted } from "./usage-while-mounted.ts";

const options = { device: textOption(), o: mountListOption().default([]) };

/** Whatever the kernel mounts, as Docker's own driver hands it on: `type`, `device`, and `o`. */
export const anyFileSystem: VolumeBackend<typeof options> = {
  options,
  async mount({ type = "", options: { device, o }, target }, { signal }) {
    await mountFileSystem({ type, source: device, target, options: o, signal });
  },
  usage: usageWhileMounted,
};
