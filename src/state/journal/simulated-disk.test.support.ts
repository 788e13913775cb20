import { constants } from "node:os";
import { SystemError } from "../../errors/index.ts";
import type { JournalFiles } from "./journal-files.ts";

/** How much of what was not made durable a power loss leaves. */
export const losses = ["nothing is lost", "all is lost", "half is lost", "blocks are lost", "names are lost"] as const;
export type Loss = (typeof losses)[number];

interface Inode {
  content: Buffer;
  synced: Buffer;
  /** What was set aside for it, the content included. */
  allocatedBytes?: number;
}

/** A disk that can lose power between any two steps, and in the middle of one. */
export interface SimulatedDisk extends JournalFiles {
  /** Steps until now. */
  readonly steps: number;
  /** The power goes at this step: an append is half done, anything else not at all; nothing works any more. */
  failAt: number;
  /** A step that fails, once, as a full disk does: nothing or a part is written. */
  refuseAt: number;
  /** As what: a full disk, or a file that is too long. */
  refuseAs: "ENOSPC" | "EFBIG";
  /** What there is for all files. */
  roomBytes: number;
  /** What is found when the power is back. */
  reboot(loss: Loss): SimulatedDisk;
}

export class PowerLoss extends Error {}

export function createSimulatedDisk(names = new Map<string, Inode>()): SimulatedDisk {
  let syncedNames = new Map(names);
  let isDead = false;

  const step = (partly: () => void = () => {}) => {
    if (isDead) throw new PowerLoss();
    disk.steps++;
    if (disk.steps === disk.failAt) {
      isDead = true;
      partly();
      throw new PowerLoss();
    }
    if (disk.steps !== disk.refuseAt) return;
    partly();
    throw new SystemError(constants.errno[disk.refuseAs], "write");
  };
  const sizeOf = ({ content, allocatedBytes = 0 }: Inode) => Math.max(content.length, allocatedBytes);
  const assertRoom = (inode: Inode, lengthBytes: number) => {
    const grown = Math.max(0, lengthBytes - sizeOf(inode));
    const taken = [...names.values()].reduce((sum, one) => sum + sizeOf(one), grown);
    if (grown > 0 && taken > disk.roomBytes) throw new SystemError(constants.errno.ENOSPC, "write");
  };
  const disk = {
    steps: 0,
    roomBytes: Infinity,
    failAt: -1,
    refuseAt: -1,
    refuseAs: "ENOSPC" as SimulatedDisk["refuseAs"],
    async read(name: string) {
      return names.get(name)?.content;
    },
    async open(name: string, lengthBytes: number) {
      step();
      const inode = names.get(name) ?? { content: Buffer.alloc(0), synced: Buffer.alloc(0) };
      names.set(name, inode);
      inode.content = inode.content.subarray(0, lengthBytes);
      const append = (bytes: Uint8Array) => {
        assertRoom(inode, inode.content.length + bytes.length);
        inode.content = Buffer.concat([inode.content, bytes]);
      };
      return {
        async append(bytes: Uint8Array) {
          step(() => append(bytes.subarray(0, bytes.length / 2)));
          append(bytes);
        },
        async appendDurably(bytes: Uint8Array) {
          await this.append(bytes);
          await this.sync();
        },
        async truncate(length: number) {
          step();
          inode.content = inode.content.subarray(0, length);
        },
        async allocate(length: number) {
          assertRoom(inode, length);
          inode.allocatedBytes = length;
        },
        async sync() {
          step();
          inode.synced = inode.content;
        },
        close: async () => {},
      };
    },
    async rename(from: string, to: string) {
      step();
      names.set(to, names.get(from) as Inode);
      names.delete(from);
    },
    async remove(name: string) {
      step();
      names.delete(name);
    },
    async syncFolder() {
      step();
      syncedNames = new Map(names);
    },
    async close() {},
    reboot(loss: Loss) {
      const left = loss === "all is lost" || loss === "names are lost" ? syncedNames : names;
      return createSimulatedDisk(
        new Map(
          Array.from(left, ([name, inode]) => [name, { content: survive(inode, loss), synced: Buffer.alloc(0) }]),
        ),
      );
    },
  };
  return disk;
}

function survive({ content, synced }: Inode, loss: Loss): Buffer {
  const isAppended = content.length >= synced.length;
  const added = isAppended ? content.subarray(synced.length) : Buffer.alloc(0);
  switch (loss) {
    case "nothing is lost":
      return content;
    case "half is lost":
      return Buffer.concat([synced, added.subarray(0, added.length / 2)]);
    case "blocks are lost":
      // The length came to the disk, and the first of two blocks did not.
      return Buffer.concat([synced, Buffer.alloc(added.length / 2), added.subarray(added.length / 2)]);
    default:
      return synced;
  }
}
