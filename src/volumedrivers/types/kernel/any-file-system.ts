import type { VolumeBackend } from "../../managed/volume-backend.ts";
import { mountListOption } from "../../options/mount-list.ts";
import { textOption } from "../../options/option-types.ts";
import { mountBound, unmountBound } from "./bound.ts";
import { usageWhileMounted } from "./usage-while-mounted.ts";

const options = { device: textOption(), o: mountListOption().default([]) };

/** Whatever the kernel mounts, as Docker's own driver hands it on: `type`, `device`, and `o`. */
export const anyFileSystem: VolumeBackend<typeof options> = {
  options,
  async mount(volume, { signal }) {
    const { type = "", options: given, target } = volume;
    await mountBound(volume, { type, source: given.device, target, options: given.o, signal });
  },
  unmount: unmountBound,
  usage: usageWhileMounted,
};
