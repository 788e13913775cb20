import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CleatError } from "../../../errors/index.ts";
import type { ManagedVolume, VolumeBackend } from "../../managed/volume-backend.ts";
import { isMountPoint } from "../../mounting/mount-file-system.ts";
import { mountListOption } from "../../options/mount-list.ts";
import { sizeOption, textOption } from "../../options/option-types.ts";
import { copyImageFile } from "../../trees/tree-jobs.ts";
import {
  assertGrowsMounted,
  checkImage,
  growMounted,
  growUnmounted,
  type ImageFileSystem,
  isAttached,
  makeFileSystem,
  mountImage,
} from "./image-programs.ts";
import { usageWhileMounted } from "../kernel/usage-while-mounted.ts";
import { withSource } from "./with-source.ts";

const options = {
  size: sizeOption().optional(),
  fstype: z.enum(["ext4", "xfs"], { error: 'takes "ext4" or "xfs"' }).default("ext4"),
  o: mountListOption().default([]),
  from: textOption().optional(),
};

/** Of those of a mount, what changes nothing about which file is mounted where. Source: mount(8), ext4(5), xfs(5). */
const allowed = /^(?:ro|rw|no(?:suid|dev|exec|atime|diratime)|(?:rel|strict|lazy)atime|(?:no)?discard|(?:dir)?sync)$/;

/**
 * A file with a file system of its own: it holds `size` bytes and no more, wherever it lies, takes what is written and
 * gives back what is deleted, grows (`resize`, also while it is mounted), and can be moved to another machine as one
 * file.
 *
 * With `from` it begins as a copy of another image: while that is mounted only where its disk shares blocks (xfs,
 * btrfs), and then as after a power failure at that moment.
 *
 * Where another mount namespace has it mounted (`podman run -v /:/host` keeps a copy of each mount), it is mounted from
 * the same loop device, and so the same file system: programs that work on the file are run only where none has it.
 */
export const image: VolumeBackend<typeof options> = {
  options,
  check({ size, from, o }) {
    if (size === undefined && from === undefined) return '"size" is needed';
    const wrong = o.find((option) => !allowed.test(option));
    return wrong === undefined ? undefined : '"o" takes ro, nosuid, nodev, noexec, noatime, discard and the like';
  },
  async create({ name, type, options: { size, fstype, from }, folder }, { withVolume, signal }) {
    const path = imageOf(folder);
    if (from === undefined) {
      await setLength(path, size ?? 0);
      await makeFileSystem(path, fstype, { signal });
      return setLength(path, size ?? 0);
    }
    await withSource({ name, type, from, withVolume }, async (source) => {
      const { fstype: theirs } = source.options as { fstype: ImageFileSystem };
      if (theirs !== fstype)
        throw new CleatError("INVALID_ARGUMENT", `option "fstype": volume "${from}" has ${theirs}`);
      const origin = imageOf(source.folder);
      const atOnce = source.isMounted || (await isAttached(origin, { signal }));
      await copyImageFile(origin, path, { atOnce, signal });
    });
    if (size !== undefined) await grow(path, size);
  },
  async mount({ options: { fstype, o }, folder, target }, { signal }) {
    const path = imageOf(folder);
    if (!(await isAttached(path, { signal }))) {
      await checkImage(path, fstype, { signal });
      // What grew while it was not mounted, or when a process was killed that grew it.
      await growUnmounted(path, fstype, { signal });
    }
    await mountImage(path, fstype, target, o, { signal });
    if (fstype === "xfs" && !o.includes("ro")) await growMounted(target, fstype, { signal });
  },
  async usage({ folder, target }, call) {
    if (isMountPoint(target)) return usageWhileMounted({ target }, call);
    const { blocks, size } = await stat(imageOf(folder));
    return { usedBytes: blocks * 512, sizeBytes: size };
  },
  async resize({ options: given, folder, target }, sizeBytes, { signal }) {
    const isLive = isMountPoint(target) && !given.o.includes("ro");
    if (isLive) await assertGrowsMounted(given.fstype);
    await grow(imageOf(folder), sizeBytes);
    if (isLive) await growMounted(target, given.fstype, { signal });
    return toText(given, sizeBytes);
  },
  copyOptions: ({ name, options: { fstype } }) => ({ from: name, fstype }),
};

function imageOf(folder: string): string {
  return join(folder, "image");
}

/** @throws INVALID_ARGUMENT for less than there is: file systems do not shrink while they are used, and xfs never. */
async function grow(path: string, sizeBytes: number): Promise<void> {
  const { size } = await stat(path);
  if (sizeBytes < size) throw new CleatError("INVALID_ARGUMENT", `size ${sizeBytes} is less than the ${size} it has`);
  await setLength(path, sizeBytes);
}

/** Durably; what is new is a hole. */
async function setLength(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, "a", 0o600);
  try {
    await file.truncate(sizeBytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

function toText(
  { fstype, o, from }: ManagedVolume<{ fstype: string; o: readonly string[]; from?: string | undefined }>["options"],
  sizeBytes: number,
): Record<string, string> {
  return {
    size: String(sizeBytes),
    fstype,
    ...(o.length > 0 && { o: o.join(",") }),
    ...(from !== undefined && { from }),
  };
}
