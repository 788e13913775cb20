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

/** With `prefilled` its journals overwrite zeros, as `prefilled-file.ts` has it. */
export function createSimulatedDisk(names = new Map<string, Inode>(), prefilled = false): SimulatedDisk {
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
      const isRoom =
        prefilled &&
        inode.content.subarray(lengthBytes).equals(Buffer.alloc(Math.max(0, inode.content.length - lengthBytes)));
      if (!isRoom) inode.content = inode.content.subarray(0, lengthBytes);
      let at = lengthBytes;
      const append = (bytes: Uint8Array) => {
        assertRoom(inode, at + bytes.length);
        const behind = inode.content.subarray(at + bytes.length);
        inode.content = Buffer.concat([inode.content.subarray(0, at), bytes, behind]);
      };
      return {
        async append(bytes: Uint8Array) {
          step(() => append(bytes.subarray(0, bytes.length / 2)));
          append(bytes);
          at += bytes.length;
        },
        async appendDurably(bytes: Uint8Array) {
          await this.append(bytes);
          await this.sync();
        },
        async truncate(length: number) {
          step();
          inode.content = inode.content.subarray(0, length);
          at = length;
        },
        async allocate(length: number) {
          assertRoom(inode, length);
          if (!prefilled) return void (inode.allocatedBytes = length);
          if (inode.content.length >= length) return;
          step();
          inode.content = Buffer.concat([inode.content], length);
          inode.synced = inode.content;
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
        prefilled,
      );
    },
  };
  return disk;
}

function survive({ content, synced }: Inode, loss: Loss): Buffer {
  const isAppended = content.length > synced.length;
  const added = isAppended ? content.subarray(synced.length) : Buffer.alloc(0);
  const middle = isAppended ? 0 : middleOfOverwritten(content, synced);
  switch (loss) {
    case "nothing is lost":
      return content;
    case "half is lost":
      if (!isAppended) return Buffer.concat([content.subarray(0, middle), synced.subarray(middle)]);
      return Buffer.concat([synced, added.subarray(0, added.length / 2)]);
    case "blocks are lost":
      if (!isAppended) return Buffer.concat([synced.subarray(0, middle), content.subarray(middle)]);
      // The length came to the disk, and the first of two blocks did not.
      return Buffer.concat([synced, Buffer.alloc(added.length / 2), added.subarray(added.length / 2)]);
    default:
      return synced;
  }
}

/** Of the bytes that differ. */
function middleOfOverwritten(content: Buffer, synced: Buffer): number {
  const from = content.findIndex((byte, index) => byte !== synced[index]);
  const to = content.findLastIndex((byte, index) => byte !== synced[index]) + 1;
  return from < 0 ? content.length : Math.floor((from + to) / 2);
}
