import { CleatError } from "../../../errors/index.ts";
import { hasMounts, unmountFileSystem } from "../../mounting/mount-file-system.ts";
import { removeTrees } from "../../mounting/run-tool.ts";
import { flagOption, sizeOption, textOption } from "../../options/option-types.ts";
import type { SourceVolume, VolumeBackend } from "../../managed/volume-backend.ts";
import { destroyFilesSubvolume, makeFilesFolder } from "../../trees/files-folder.ts";
import { copyFolder } from "../../trees/tree-jobs.ts";
import { clearProject, giveProject, limitFolder, usageOfFolder } from "./folder-size.ts";
import { mountSnapshot, prepareSnapshot } from "./snapshot.ts";
import { withSource } from "./with-source.ts";

const options = {
  size: sizeOption().optional(),
  from: textOption().optional(),
  snapshot: flagOption().default(false),
};

/**
 * A folder of the driver's own, as Docker's `local` makes without options. With `size` it holds no more than that,
 * where it lies on xfs or ext4 with project quotas; elsewhere such a volume is refused. With `from` it begins as a copy
 * of another volume (`copyFolder`), and with `snapshot` it stays that: it is mounted read-only.
 */
export const local: VolumeBackend<typeof options> = {
  options,
  check: ({ from, snapshot }) =>
    snapshot && from === undefined ? '"snapshot" needs "from", the volume that it is of' : undefined,
  async create({ name, type, options: { size, from, snapshot }, folder }, { withVolume, signal }) {
    const files = filesOf(folder);
    const make = async () => {
      makeFilesFolder(files);
      if (size !== undefined) await giveProject(files, size);
    };
    if (from === undefined) return make();
    const copy = async ({ folder: source }: SourceVolume) => {
      if (size !== undefined) await make();
      await copyFolder(filesOf(source), files, { signal });
      if (snapshot) await prepareSnapshot(folder, files, { signal }); // it, too, takes as long as there are files
    };
    await withSource({ name, type, from, withVolume }, copy, { whileMounts: true });
  },
  async mount(volume, call) {
    const files = filesOf(volume.folder);
    if (!volume.options.snapshot) return files;
    await mountSnapshot(volume, files, call);
    return undefined;
  },
  async unmount({ options: { snapshot }, target }, call) {
    if (snapshot) await unmountFileSystem(target, call);
  },
  pathOf: ({ options: { snapshot }, folder }) => (snapshot ? undefined : filesOf(folder)),
  async remove({ options: { size }, folder }, { signal }) {
    const files = filesOf(folder);
    // The kernel would take away what is mounted in a subvolume. What is no subvolume is deleted behind.
    if (hasMounts(files)) throw new CleatError("FAILED_PRECONDITION", `something is mounted in "${files}"`);
    if (size !== undefined) await clearProject(files);
    if (!destroyFilesSubvolume(files)) await removeTrees([files], { signal });
  },
  async usage({ options: { size }, folder }) {
    return usageOfFolder(filesOf(folder), size);
  },
  async resize({ options: { from, snapshot }, folder }, sizeBytes) {
    await limitFolder(filesOf(folder), sizeBytes);
    return { size: String(sizeBytes), ...(from !== undefined && { from }), ...(snapshot && { snapshot: "true" }) };
  },
  copyOptions: ({ name, options: { size } }) => ({
    from: name,
    snapshot: "true",
    ...(size !== undefined && { size: String(size) }),
  }),
};

function filesOf(folder: string): string {
  return `${folder}/data`;
}
