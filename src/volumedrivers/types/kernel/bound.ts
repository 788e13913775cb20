/** For types whose `o` may ask for a folder of the host, with all that is mounted below ("rbind"). */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../../../errors/index.ts";
import { bootId } from "../../../syscall/index.ts";
import type { ManagedVolume, VolumeCall } from "../../managed/volume-backend.ts";
import {
  type MountRequest,
  mountFileSystem,
  unmountFileSystem,
  unmountTree,
} from "../../mounting/mount-file-system.ts";

type BoundVolume = Pick<ManagedVolume<{ readonly o: readonly string[] }>, "options" | "folder" | "target">;

/**
 * Mounts it, and notes of an "rbind" that it is one that the host's mounts do not depend on: those of earlier releases
 * were none, and the kernel does not tell. Nothing of the note has to outlive the boot.
 */
export async function mountBound({ folder, options: { o } }: BoundVolume, request: MountRequest): Promise<void> {
  if (o.includes("rbind")) await writeFile(noteIn(folder), bootId());
  await mountFileSystem(request);
}

/** Of an "rbind" all that is mounted below goes with it. @throws FAILED_PRECONDITION while any other is busy. */
export async function unmountBound({ options: { o }, folder, target }: BoundVolume, call: VolumeCall): Promise<void> {
  if (o.includes("rbind")) await unmountTree(target, { ...call, isSlave: await isNoted(folder) });
  else await unmountFileSystem(target, call);
}

async function isNoted(folder: string): Promise<boolean> {
  try {
    return (await readFile(noteIn(folder), "utf8")) === bootId();
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}

function noteIn(folder: string): string {
  return join(folder, "slave-since-boot");
}
