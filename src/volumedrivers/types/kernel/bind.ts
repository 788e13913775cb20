import type { VolumeBackend } from "../../managed/volume-backend.ts";
import { mountListOption } from "../../options/mount-list.ts";
import { pathOption } from "../../options/option-types.ts";
import { mountBound, unmountBound } from "./bound.ts";

const options = { device: pathOption(), o: mountListOption().default([]) };

/**
 * A folder of the host, which stays there when the volume is removed: `device` is its path, `o` may hold `ro`, `noexec`
 * and the like, `rbind` for what is mounted below, now and later. Docker's `type=none,o=bind`.
 */
export const bind: VolumeBackend<typeof options> = {
  options,
  mount(volume, { signal }) {
    const { options: given, target } = volume;
    const { device: source, o } = given;
    return mountBound(volume, { type: "none", source, target, options: isBind(o) ? o : ["bind", ...o], signal });
  },
  unmount: unmountBound,
};

/** Of type "none" there is nothing else. */
export const none: VolumeBackend<typeof options> = {
  ...bind,
  check: ({ o }) => (isBind(o) ? undefined : '"o" of type "none" is to hold "bind" or "rbind"'),
};

function isBind(o: readonly string[]): boolean {
  return o.includes("bind") || o.includes("rbind");
}
