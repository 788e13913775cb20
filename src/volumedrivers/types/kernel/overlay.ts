import { join } from "node:path";
import { makeFolders } from "../../../files/index.ts";
import type { VolumeBackend } from "../../managed/volume-backend.ts";
import { mountFileSystem } from "../../mounting/mount-file-system.ts";
import { runHelper } from "../../mounting/run-helper.ts";
import { mountListOption, valueIn } from "../../options/mount-list.ts";
import { textOption } from "../../options/option-types.ts";

const options = { device: textOption(), o: mountListOption().default([]) };

/**
 * A folder of the host that is only read, `device`, with changes of the volume's own above it, which go when the volume
 * goes. Whoever gives `lowerdir` in `o` has what Docker's `type=overlay` is: what the kernel mounts, and nothing made.
 */
export const overlay: VolumeBackend<typeof options> = {
  options,
  check: ({ device, o }) =>
    isGiven(o) || /^\/[^:,\\]*$/.test(device)
      ? undefined
      : '"device" takes an absolute path without colons, commas and backslashes',
  async create({ options: { device, o }, folder }, { signal }) {
    if (isGiven(o)) return;
    const { upper, work } = layersOf(folder);
    await makeFolders(upper);
    await makeFolders(work);
    // Of the root the upper's own are seen. By programs: the folder may be a server's, which is gone.
    for (const program of ["chown", "chmod"])
      await runHelper(program, [`--reference=${device}`, "--", upper], { signal });
  },
  async mount({ options: { device, o }, folder, target }, { signal }) {
    const { upper, work } = layersOf(folder);
    const layers = isGiven(o) ? [] : [`lowerdir=${device}`, `upperdir=${upper}`, `workdir=${work}`];
    const source = isGiven(o) ? device : "overlay";
    await mountFileSystem({ type: "overlay", source, target, options: [...o, ...layers], signal });
  },
};

function isGiven(o: readonly string[]): boolean {
  return valueIn(o, "lowerdir") !== undefined;
}

function layersOf(folder: string): { readonly upper: string; readonly work: string } {
  return { upper: join(folder, "upper"), work: join(folder, "work") };
}
