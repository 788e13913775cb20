import { mkdir, realpath, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CleatError, quoteText, toCleatError } from "../../errors/index.ts";
import { readMounts } from "../../syscall/index.ts";
import { runHelper, unmountFileSystem } from "../../volumedrivers/index.ts";
import type { Publisher, VolumeStatistics } from "./publisher.ts";
import { isMountPoint, isShownSo, otherPlacesOf } from "./shown-places.ts";
import type { ShowRequest } from "./show-request.ts";

/**
 * Shows volumes by mounts of the kernel, for which the process has to be root. What is shown where is known from
 * `/proc/self/mountinfo` alone; whatever may wait for a server runs in a program that can be killed.
 */
export function createMountPublisher(): Publisher {
  return {
    async publish(source, target, flags, signal) {
      const place = await placeOf(target);
      const mounts = readMounts();
      if (isMountPoint(place, mounts)) {
        if (isShownSo(source, place, flags, mounts)) return;
        throw new CleatError("ALREADY_EXISTS", `${quoteText(target)} shows something else, or with other flags`);
      }
      await makeFolder(place);
      const request: ShowRequest = { source, target: place, flags };
      await runHelper(process.execPath, [program, JSON.stringify(request)], { signal });
    },
    async unpublish(target, signal) {
      const place = await placeOf(target, "or where it was");
      if (place === undefined) return;
      await unmountFileSystem(place, { signal });
      await removeFolder(place);
    },
    placesOf: async (source) => otherPlacesOf(source, readMounts()),
    async statistics(path, signal) {
      const place = await placeOf(path);
      if (!isMountPoint(place, readMounts())) {
        throw new CleatError("NOT_FOUND", `no volume is shown at ${quoteText(path)}`);
      }
      return parseStatistics(await runHelper("stat", ["--file-system", "--printf", format, "--", place], { signal }));
    },
  };
}

const program = fileURLToPath(new URL("show-folder.js", import.meta.url));

/** The path without symlinks, as the kernel's table has it; the last part need not be there. */
async function placeOf(path: string): Promise<string>;
async function placeOf(path: string, otherwise: "or where it was"): Promise<string | undefined>;
async function placeOf(path: string, otherwise?: string): Promise<string | undefined> {
  try {
    return join(await realpath(dirname(path)), basename(path));
  } catch (error) {
    const failure = toCleatError(error);
    if (failure.code === "NOT_FOUND" && otherwise !== undefined) return undefined;
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

/** Size of a block, blocks, free ones, free ones for everybody, inodes, free ones. Source: stat(1), statfs(2). */
const format = "%S %b %f %a %c %d";

function parseStatistics(text: string): VolumeStatistics {
  const [block, blocks, free, forAll, inodes, freeInodes] = text.split(" ").map(BigInt) as Six;
  return {
    bytes: { total: blocks * block, used: (blocks - free) * block, available: forAll * block },
    inodes: { total: inodes, used: inodes - freeInodes, available: freeInodes },
  };
}

type Six = [bigint, bigint, bigint, bigint, bigint, bigint];
