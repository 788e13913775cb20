import { mkdir, realpath, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CleatError, isSystemError, quoteText, toCleatError } from "../../errors/index.ts";
import { readMounts } from "../../syscall/index.ts";
import {
  type FileSystemUsage,
  fileSystemUsage,
  isMountPoint,
  mountFileSystem,
  unmountFileSystem,
} from "../../volumedrivers/index.ts";
import type { PublishFlags, Publisher, VolumeStatistics } from "./publisher.ts";
import { flagsAsNamed, isShownSo, otherPlacesOf, showsOthers } from "./shown-places.ts";

/**
 * Shows volumes by mounts of the kernel, for which the process has to be root. What is shown where is known from
 * `/proc/self/mountinfo` alone; whatever may wait for a server runs in a program that can be killed.
 */
export function createMountPublisher(): Publisher {
  return {
    async publish(source, target, flags, signal) {
      const place = await placeOf(target);
      if (isMountPoint(place)) {
        if (isShownSo(source, place, flags, readMounts())) return;
        throw new CleatError("ALREADY_EXISTS", `${quoteText(target)} shows something else, or with other flags`);
      }
      await makeFolder(place);
      await mountFileSystem({ type: "none", source, target: place, options: ["bind", ...toOptions(flags)], signal });
    },
    async unpublish(source, target, signal) {
      const place = await placeOf(target, "or where it was");
      if (place === undefined) return;
      if (source !== undefined && showsOthers(source, place, readMounts())) {
        throw new CleatError("FAILED_PRECONDITION", `${quoteText(target)} shows something else than the volume`);
      }
      await unmountFileSystem(place, { signal });
      await removeFolder(place);
    },
    async placesOf(source, target) {
      const place = await placeOf(target, "or where it was");
      const places = otherPlacesOf(source, readMounts());
      const elsewhere = places.filter((other) => other !== place);
      return { isHere: elsewhere.length < places.length, elsewhere };
    },
    async isTaken(target) {
      const place = await placeOf(target, "or where it was");
      return place !== undefined && isMountPoint(place);
    },
    async statistics(path, signal) {
      const place = await placeOf(path);
      if (!isMountPoint(place)) {
        throw new CleatError("NOT_FOUND", `no volume is shown at ${quoteText(path)}`);
      }
      return toStatistics(await fileSystemUsage(place, { signal }));
    },
  };
}

function toOptions(flags: PublishFlags): string[] {
  const set = flagsAsNamed(flags).flatMap(([name, isSet]) => (isSet ? [name] : []));
  return flags.accessTimes === undefined ? set : [...set, flags.accessTimes];
}

/**
 * The path without symlinks, as the kernel's table has it; the last part need not be there.
 * `undefined` where nothing can be.
 */
async function placeOf(path: string): Promise<string>;
async function placeOf(path: string, otherwise: "or where it was"): Promise<string | undefined>;
async function placeOf(path: string, otherwise?: string): Promise<string | undefined> {
  try {
    return join(await realpath(dirname(path)), basename(path));
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG") && otherwise !== undefined) return undefined;
    throw new CleatError("INVALID_ARGUMENT", `folder of ${quoteText(path)} cannot be found`, { cause: error });
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o750 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw toCleatError(error);
  }
}

async function removeFolder(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw toCleatError(error);
  }
}

function toStatistics(usage: FileSystemUsage): VolumeStatistics {
  const { sizeBytes, usedBytes, availableBytes, inodes, freeInodes } = usage;
  return {
    bytes: { total: BigInt(sizeBytes), used: BigInt(usedBytes), available: BigInt(availableBytes) },
    inodes: { total: BigInt(inodes), used: BigInt(inodes - freeInodes), available: BigInt(freeInodes) },
  };
}
