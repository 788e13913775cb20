import type { VolumeBackend } from "../managed/volume-backend.ts";
import { mountFileSystem } from "../mounting/mount-file-system.ts";
import { mountListOption } from "../options/mount-list.ts";
import { pathOption } from "../options/option-types.ts";

const options = { device: pathOption(), o: mountListOption().default([]) };

/**
 * A folder of the host, which stays there when the volume is removed: `device` is its path, `o` may hold `ro`, `noexec`
 * and the like, `rbind` for what is mounted below. Docker's `type=none,o=bind`.
 */
export const bind: VolumeBackend<typeof options> = {
  options,
  mount: ({ options: { device, o }, target }, { signal }) =>
    mountFileSystem({
      type: "none",
      source: device,
      target,
      options: o.includes("rbind") ? o : ["bind", ...o],
      signal,
    }),
};

/** Of type "none" there is nothing else. */
export const none: VolumeBackend<typeof options> = {
  ...bind,
  check: ({ o }) =>
    o.includes("bind") || o.includes("rbind") ? undefined : '"o" of type "none" is to hold "bind" or "rbind"',
};
